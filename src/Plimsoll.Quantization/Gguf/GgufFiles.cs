using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Distributes the tensors over one file or several.</summary>
/// <remarks>Of a split file the first part has all metadata, the others only their number: the keys of llama.cpp's gguf-split.</remarks>
internal static class GgufFiles
{
    /// <param name="name">The name of the single file; parts get <c>-00001-of-0000N</c>.</param>
    /// <param name="most">Bytes of tensor data in one file; null for one file.</param>
    public static ImmutableArray<OutputFile> Split(string name, GgufKeyValues keys, ImmutableArray<WeightJob> jobs, long? most)
    {
        var parts = Parts(jobs, most ?? long.MaxValue);
        if (parts.Count == 1)
            return [File(name, keys, jobs)];
        var files = ImmutableArray.CreateBuilder<OutputFile>(parts.Count);
        for (var index = 0; index < parts.Count; index++)
        {
            var own = index == 0 ? keys : new GgufKeyValues();
            own.UInt16("split.no", checked((ushort)index));
            own.UInt16("split.count", checked((ushort)parts.Count));
            own.Int32("split.tensors.count", jobs.Sum(job => job.Outputs.Length));
            files.Add(File(GgufSplit.PartName(name, index + 1, parts.Count), own, parts[index]));
        }
        return files.MoveToImmutable();
    }

    private static List<ImmutableArray<WeightJob>> Parts(ImmutableArray<WeightJob> jobs, long most)
    {
        if (most <= 0)
            throw new QuantizationRefusedException($"a part of a split file holds at least one byte, not {most}.");
        var parts = new List<ImmutableArray<WeightJob>>();
        var part = ImmutableArray.CreateBuilder<WeightJob>();
        var bytes = 0L;
        foreach (var job in jobs)
        {
            var size = job.Outputs.Sum(output => output.Bytes);
            if (part.Count > 0 && size > most - bytes)
            {
                parts.Add(part.DrainToImmutable());
                bytes = 0;
            }
            part.Add(job);
            bytes += size;
        }
        parts.Add(part.DrainToImmutable());
        return parts;
    }

    private static OutputFile File(string name, GgufKeyValues keys, ImmutableArray<WeightJob> jobs)
    {
        ImmutableArray<GgufTensorInfo> tensors = [.. jobs.SelectMany(job => job.Outputs).Select(output => new GgufTensorInfo(output.Name, output.Format, output.Dimensions))];
        var layout = GgufWriter.Layout(keys, tensors);
        return new(name, layout.Header, [.. jobs.OrderBy(job => job.Order)], tensors.Zip(layout.Offsets).ToImmutableDictionary(pair => pair.First.Name, pair => pair.Second), layout.Length);
    }
}
