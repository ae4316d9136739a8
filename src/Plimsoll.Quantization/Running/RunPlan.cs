using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>What a run is going to take, known before it starts.</summary>
/// <remarks>Memory does not depend on the size of the model, only on its largest tensor: resident + outputs + pieces + runtime.</remarks>
public sealed record RunPlan
{
    /// <summary>Outputs up to this size are written while the next tensor is encoded; a larger one is written first.</summary>
    public const long WriteBehindBytes = 128L << 20;

    /// <summary>What code, thread stacks and small arrays come to while a run goes on, once the buffers are there. Measured: benchmarks/results/quantize-memory.md.</summary>
    private const long RuntimeBaseBytes = 20L << 20;

    private const long RuntimeBytesPerThread = 1L << 20;

    /// <summary>Memory of the process before the run, planning included.</summary>
    public required long ResidentBytes { get; init; }

    /// <summary>The outputs of the tensor that is encoded and of the one that is written: the larger of the largest tensor and 128 MiB, or less.</summary>
    public required long OutputBytes { get; init; }

    /// <summary>Weights and decoded weights of one piece per thread.</summary>
    public required long PieceBytes { get; init; }

    /// <summary>What the runtime itself comes to need while it works.</summary>
    public required long RuntimeBytes { get; init; }

    /// <summary>What a calibration takes that goes on meanwhile: hidden states, the weights of a layer, products of its inputs.</summary>
    public long CalibrationBytes { get; init; }

    /// <summary>Bytes of all files that are written, hidden states of a calibration among them.</summary>
    public required long DiskBytes { get; init; }

    public required int Threads { get; init; }

    public long PeakBytes => ResidentBytes + OutputBytes + PieceBytes + RuntimeBytes + CalibrationBytes;

    /// <summary>The plan of a request.</summary>
    public static RunPlan Create(OutputPlan plan, QuantizationRequest request)
    {
        var run = Create(plan, request.Threads, ProcessMemory.Resident());
        return run with { CalibrationBytes = request.CalibrationBytes, DiskBytes = run.DiskBytes + request.CalibrationDiskBytes };
    }

    /// <param name="residentBytes">Memory of the process now; see <see cref="ProcessMemory"/>.</param>
    public static RunPlan Create(OutputPlan plan, int threads, long residentBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        var jobs = plan.Files.SelectMany(file => file.Jobs).ToList();
        return new()
        {
            ResidentBytes = residentBytes,
            OutputBytes = ArenaBytes([.. jobs.Select(OutputArena.BytesFor)]),
            PieceBytes = PieceBuffers.BytesFor(threads, LargestPiece(jobs)),
            RuntimeBytes = RuntimeBaseBytes + threads * RuntimeBytesPerThread,
            DiskBytes = plan.Files.Sum(file => file.Length) + plan.SideFiles.Sum(Length),
            Threads = threads,
        };
    }

    internal static int LargestPiece(IEnumerable<WeightJob> jobs) => jobs.Select(job => new RowPieces(job).Floats).DefaultIfEmpty(0).Max();

    /// <summary>Room for the largest job alone, and for two in a row where that is not much.</summary>
    private static long ArenaBytes(List<long> jobs)
    {
        var largest = jobs.DefaultIfEmpty(0).Max();
        var pair = jobs.Zip(jobs.Skip(1), (first, second) => first + second).DefaultIfEmpty(largest).Max();
        return Math.Max(largest, Math.Min(pair, WriteBehindBytes));
    }

    private static long Length(SideFile file) => file.Content?.Length ?? new FileInfo(file.CopyOf!).Length;
}
