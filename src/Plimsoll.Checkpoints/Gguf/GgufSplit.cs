using Plimsoll.Checkpoints.Opening;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>What the files of a split GGUF say about each other (keys of llama.cpp's gguf-split).</summary>
public static class GgufSplit
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorCountKey = "split.tensors.count";

    /// <summary>The name of a part: <c>model-00002-of-00005.gguf</c>.</summary>
    /// <param name="name">The name of the whole: <c>model.gguf</c>.</param>
    /// <param name="number">Counted from 1.</param>
    public static string PartName(string name, int number, int count) =>
        new ShardName(Path.GetFileNameWithoutExtension(name), number, count, Path.GetExtension(name)).ToString();

    /// <summary>The file that holds the model's metadata.</summary>
    internal static GgufHeader? First(IEnumerable<GgufHeader> headers) =>
        headers.OrderBy(header => header.Metadata.Integer(NumberKey) ?? 0).FirstOrDefault();

    /// <param name="isComplete">Whether every file is there, so that tensors can be counted.</param>
    internal static IEnumerable<string> Problems(IReadOnlyList<GgufHeader> headers, bool isComplete)
    {
        foreach (var header in headers)
        {
            var file = Path.GetFileName(header.Path);
            var name = ShardName.Parse(file);
            var (number, count) = (header.Metadata.Integer(NumberKey), header.Metadata.Integer(CountKey) ?? 1);
            if (name is null && count > 1)
            {
                yield return $"{file} says that it is part {number + 1} of {count}; "
                    + $"without '-{number + 1:D5}-of-{count:D5}' in its name the others cannot be found";
            }
            else if (name is not null && count != name.Count)
                yield return $"{file} says that there are {count:N0} parts, its name says {name.Count:N0}";
            else if (name is { Count: > 1 } && number != name.Number - 1)
                yield return $"{file} says that it is part {number + 1}, its name says {name.Number}";
        }
        var promised = headers.Select(header => header.Metadata.Integer(TensorCountKey)).FirstOrDefault(count => count is not null);
        var found = headers.Sum(header => (long)header.Tensors.Length);
        if (isComplete && promised is not null && promised != found && headers.All(header => (header.Metadata.Integer(CountKey) ?? 1) == headers.Count))
            yield return $"the parts promise {promised:N0} tensors and hold {found:N0}";
    }
}
