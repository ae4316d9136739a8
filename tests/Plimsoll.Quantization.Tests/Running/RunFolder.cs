using System.Collections.Immutable;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Quantization.Tests.Running;

/// <summary>A folder with a pretended source, and runs that write beside it.</summary>
internal sealed class RunFolder : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public RunFolder() => Source = folder.Write("source.bin", "the weights");

    public string Source { get; }

    public string Target => folder.File("out.bin");

    public string Partial => Target + ".partial";

    public string File(string name) => folder.File(name);

    /// <summary>Three matrices and a vector, of which one is cut into many pieces and one observes itself first.</summary>
    public static FakeJob[] Jobs() =>
        [new("embedding", 700, 256), new("norm", 1, 33), new("up", 96, 2500, rowAlignment: 8), new("scaled", 300, 512, observes: true)];

    /// <summary>A plan of one file with a header of 100 bytes and 32-byte alignment.</summary>
    public static OutputPlan Plan(params FakeJob[] jobs) => new(IsFolder: false, [OneFile("out.bin", jobs)], [], []);

    public static OutputFile OneFile(string name, params FakeJob[] jobs)
    {
        var header = new byte[100];
        Encoding.ASCII.GetBytes(name).CopyTo(header, 0);
        var places = ImmutableDictionary.CreateBuilder<string, long>();
        var end = 128L;
        foreach (var job in jobs)
        {
            places.Add(job.Name, end);
            end += (job.Outputs[0].Bytes + 31) / 32 * 32;
        }
        return new(name, header, [.. jobs], places.ToImmutable(), end);
    }

    /// <summary>The file that the plan stands for, put together without the runner.</summary>
    public static byte[] Expected(OutputFile file)
    {
        var bytes = new byte[file.Length];
        file.Header.Span.CopyTo(bytes);
        foreach (var job in file.Jobs.Cast<FakeJob>())
            job.Expected().CopyTo(bytes, file.Places[job.Name]);
        return bytes;
    }

    public QuantizationRequest Request(int threads = 2) => new() { Target = Target, Recipe = "fp16", SourceFiles = [Source], Threads = threads };

    public QuantizationReport Run(OutputPlan plan, Func<QuantizationRequest, QuantizationRequest>? change = null, CancellationToken cancellation = default) =>
        QuantizationRunner.Run(plan, (change ?? (same => same))(Request()), cancellation);

    public void Dispose() => folder.Dispose();
}

/// <summary>A disk that is small, or that fails at a certain write.</summary>
internal sealed class FakeDisk : OutputDisk
{
    private int writes;

    public long? Free { get; init; }

    /// <summary>Called before each write with the number of writes before it.</summary>
    public Action<int> Writing { get; init; } = _ => { };

    public override long FreeBytes(string folder) => Free ?? base.FreeBytes(folder);

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        Writing(writes++);
        base.Write(file, bytes, offset);
    }
}
