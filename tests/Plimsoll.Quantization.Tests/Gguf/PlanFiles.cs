using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Carries out a plan in memory, pieces of rows in no particular order, and writes its files.</summary>
internal static class PlanFiles
{
    /// <returns>The paths of the files, in their order.</returns>
    public static IReadOnlyList<string> Write(OutputPlan plan, string folder, int rowsAtOnce = 37)
    {
        var paths = new List<string>();
        foreach (var file in plan.Files)
        {
            var path = Path.Combine(folder, file.Name);
            File.WriteAllBytes(path, Bytes(file, rowsAtOnce));
            paths.Add(path);
        }
        return paths;
    }

    public static byte[] Bytes(OutputFile file, int rowsAtOnce = 37)
    {
        var bytes = new byte[file.Length];
        file.Header.CopyTo(bytes);
        foreach (var job in file.Jobs)
        {
            var buffers = new Buffers(job);
            var starts = Enumerable.Range(0, (int)((job.Rows + rowsAtOnce - 1) / rowsAtOnce)).Select(piece => (long)piece * rowsAtOnce).Reverse();
            foreach (var first in starts)
            {
                var values = new float[Math.Min(rowsAtOnce, job.Rows - first) * job.RowLength];
                job.ReadRows(first, values);
                job.EncodeRows(first, values, buffers);
            }
            job.Complete(buffers);
            for (var index = 0; index < job.Outputs.Length; index++)
                buffers.Arrays[index].CopyTo(bytes, file.Places[job.Outputs[index].Name]);
        }
        return bytes;
    }

    private sealed class Buffers(WeightJob job) : OutputBuffers
    {
        public byte[][] Arrays { get; } = [.. job.Outputs.Select(output => new byte[output.Bytes])];

        public override Span<byte> Range(int index, long offset, int length) => Arrays[index].AsSpan((int)offset, length);
    }
}
