using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>A tensor by llama.cpp's name, which every architecture shares: <c>blk.3.attn_q.weight</c> is layer 3, <c>attn_q</c>.</summary>
internal readonly record struct WeightName(int? Layer, string Part)
{
    public string Ending { get; init; } = "weight";

    public string Gguf => Layer is { } layer ? $"blk.{layer}.{Part}.{Ending}" : $"{Part}.{Ending}";
}

/// <summary>The tensors of a checkpoint by one set of names, whoever wrote it, brought to the layout that products want.</summary>
/// <param name="names">The names and layouts of transformers; null for a GGUF file, whose names and layouts these are.</param>
internal sealed class WeightSource(string path, WeightReader reader, HuggingFaceNames? names) : IDisposable
{
    private readonly HashSet<string> stored = [.. reader.Parameters.Where(parameter => parameter.Kind is StorageKind.Parameter or StorageKind.Alias).Select(parameter => parameter.Name)];

    public bool Has(WeightName name) => Translate(name) is { } own && stored.Contains(own);

    public bool HasRows(WeightName name, int rows) => Has(name) && reader.Find(Translate(name)!) is { } weight && weight.Rows == rows;

    /// <summary>The tensor as the checkpoint names it.</summary>
    public string NameOf(WeightName name) => Translate(name) ?? name.Gguf;

    public Linear Linear(WeightName name, int rows, int columns, bool biasRequired)
    {
        var matrix = Matrix(name, rows, columns);
        return new(NameOf(name), matrix, biasRequired ? RequireVector(name with { Ending = "bias" }, rows) : Vector(name with { Ending = "bias" }, rows));
    }

    /// <summary>Queries, keys and values in one matrix of query + 2 × keyValue rows, one after the other.</summary>
    public Linear FusedProjection(WeightName name, int query, int keyValue, int columns, int headDim, bool biasRequired)
    {
        var rows = query + 2 * keyValue;
        if (names is not { FusedByHead: true })
            return Linear(name, rows, columns, biasRequired);
        var order = OrderByKind(rows, headDim);
        var biasName = name with { Ending = "bias" };
        var bias = biasRequired ? RequireVector(biasName, rows) : Vector(biasName, rows);
        return new(NameOf(name), MatrixLoader.Load(reader, Require(name, [rows, columns]), order), bias is null ? null : [.. order.Select(row => bias[row])]);
    }

    /// <param name="isLinear">A layer's weight, which GPT-2 stores transposed, and not an embedding.</param>
    public PackedMatrix Matrix(WeightName name, int rows, int columns, bool isLinear = true) => isLinear && names is { Transposed: true } && name.Layer is not null
        ? MatrixLoader.LoadTransposed(reader, Require(name, [columns, rows]))
        : MatrixLoader.Load(reader, Require(name, [rows, columns]));

    /// <summary>One linear layer per expert.</summary>
    public ImmutableArray<Linear> Experts(WeightName name, int count, int rows, int columns)
    {
        if (names is null)
        {
            var stack = Require(name, [count, rows, columns]);
            return [.. MatrixLoader.LoadStack(reader, stack, count).Select((matrix, expert) => new Linear(name.Gguf, matrix, null, expert))];
        }
        var pattern = NameOf(name);
        return [.. Enumerable.Range(0, count).Select(expert => Numbered(pattern, expert)).Select(own => new Linear(own, MatrixLoader.Load(reader, Require(own, [rows, columns])), null))];
    }

    /// <summary>A vector; null when it is not there.</summary>
    public float[]? Vector(WeightName name, int length) => Has(name) ? RequireVector(name, length) : null;

    public float[] RequireVector(WeightName name, int length) => Read(Require(name, [length]), length);

    /// <summary>The weights of a norm, as they are multiplied.</summary>
    public float[] NormVector(WeightName name, int length)
    {
        var values = RequireVector(name, length);
        foreach (ref var value in values.AsSpan())
            value += names?.NormOffset ?? 0;
        return values;
    }

    /// <summary>(heads, headDim) as one vector, stored as one tensor or as one per head.</summary>
    public float[] HeadVectors(WeightName name, int heads, int headDim)
    {
        if (names is null)
            return Read(Require(name, [heads, headDim]), heads * headDim);
        var pattern = NameOf(name);
        return [.. Enumerable.Range(0, heads).SelectMany(head => Read(Require(Numbered(pattern, head), [headDim]), headDim))];
    }

    public void Dispose() => reader.Dispose();

    /// <summary>Rows (head, kind, dim) in the order (kind, head, dim), kind being query, key and value.</summary>
    private static int[] OrderByKind(int rows, int headDim)
    {
        var order = new int[rows];
        var heads = rows / 3 / headDim;
        for (var row = 0; row < rows; row++)
        {
            var (kind, head, dim) = (row / (heads * headDim), row / headDim % heads, row % headDim);
            order[row] = (head * 3 + kind) * headDim + dim;
        }
        return order;
    }

    private static string Numbered(string pattern, int number) => pattern.Replace("*", number.ToString(), StringComparison.Ordinal);

    private static float[] Read(StoredWeight weight, int length)
    {
        var values = new float[length];
        weight.ReadRows(0, values);
        return values;
    }

    private string? Translate(WeightName name) => names is null ? name.Gguf : names.Find(name.Layer, name.Part) is { } own ? $"{own}.{name.Ending}" : null;

    private StoredWeight Require(WeightName name, ReadOnlySpan<long> dimensions) => Require(NameOf(name), dimensions);

    private StoredWeight Require(string name, ReadOnlySpan<long> dimensions)
    {
        var expected = $"tensor '{name}' of {string.Join(" x ", dimensions.ToArray())}";
        var weight = reader.Find(name) ?? throw new CheckpointFormatException(path, null, expected, "no such tensor");
        if (!weight.Dimensions.AsSpan().SequenceEqual(dimensions))
            throw new CheckpointFormatException(path, null, expected, $"one of {string.Join(" x ", weight.Dimensions)}");
        return weight;
    }
}
