using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Carries out a plan in memory, pieces of rows in no particular order, and writes its files.</summary>
internal static class PlanFiles
{
    /// <returns>The paths of the files, in their order.</returns>
    /// <param name="prepared">Called before a job is encoded.</param>
    public static IReadOnlyList<string> Write(OutputPlan plan, string folder, int rowsAtOnce = 37, Action<WeightJob>? prepared = null)
    {
        var paths = new List<string>();
        foreach (var file in plan.Files)
        {
            var path = Path.Combine(folder, file.Name);
            File.WriteAllBytes(path, Bytes(file, rowsAtOnce, prepared));
            paths.Add(path);
        }
        return paths;
    }

    /// <summary>Weight files and side files of a folder.</summary>
    public static void WriteFolder(OutputPlan plan, string folder)
    {
        Write(plan, folder, rowsAtOnce: 64);
        foreach (var side in plan.SideFiles)
        {
            if (side.Content is { } content)
                File.WriteAllBytes(Path.Combine(folder, side.Name), content.ToArray());
            else
                File.Copy(side.CopyOf!, Path.Combine(folder, side.Name));
        }
    }

    public static byte[] Bytes(OutputFile file, int rowsAtOnce = 37, Action<WeightJob>? prepared = null)
    {
        var bytes = new byte[file.Length];
        file.Header.CopyTo(bytes);
        foreach (var job in file.Jobs)
        {
            var buffers = new Buffers(job);
            job.Prepare();
            prepared?.Invoke(job);
            for (var first = 0L; job.NeedsObservation && first < job.Rows; first += rowsAtOnce)
            {
                var values = new float[Math.Min(rowsAtOnce, job.Rows - first) * job.RowLength];
                job.ReadRows(first, values);
                job.Observe(first, values);
            }
            var starts = Enumerable.Range(0, (int)((job.Rows + rowsAtOnce - 1) / rowsAtOnce)).Select(piece => (long)piece * rowsAtOnce).Reverse();
            foreach (var first in starts)
            {
                var values = new float[Math.Min(rowsAtOnce, job.Rows - first) * job.RowLength];
                job.ReadRows(first, values);
                job.EncodeRows(first, values, buffers);
            }
            job.Complete(buffers);
            job.Follow(buffers);
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
