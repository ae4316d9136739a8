using System.Collections.Immutable;
using Plimsoll.Diagnostics.OutOfMemory.Grammars;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Finds every message about memory in a log.</summary>
public static class OutOfMemoryReader
{
    private static readonly ImmutableArray<IMessageGrammar> Grammars =
    [
        new PyTorchGrammar(), .. ServingGrammars.All(), new GgmlGrammar(), .. FrameworkGrammars.All(), .. TorchGrammars.All(), .. DriverGrammars.All(), .. HostGrammars.All(),
    ];

    /// <summary>All events in the order of the log. Where two grammars read the same words, the one that says more is kept.</summary>
    public static ImmutableArray<OutOfMemoryEvent> Find(LogText log)
    {
        var found = Grammars.SelectMany(grammar => grammar.Find(log)).OrderBy(each => each.Position).ToList();
        // A cuBLAS or driver failure is often quoted once more by what was above it, on the same line.
        return [.. found.DistinctBy(each => (each.Family, each.Line, each.Ledger.Requested)).Where(each => !IsEcho(each, found))];
    }

    /// <summary>What one failure prints besides its message: llama.cpp's bare "CUDA error: out of memory", the driver's code inside the framework's sentence.</summary>
    private static bool IsEcho(OutOfMemoryEvent candidate, List<OutOfMemoryEvent> all) =>
        candidate is { Ledger.Requested: null, Serving: null, Family: "cuda" or "cuda-driver" or "single-allocation" or "tensorflow-masked" or "library-alloc-failed" or "tensorrt" } &&
        all.Any(other => other != candidate && other.Kind == MemoryKind.Device && Math.Abs(other.Line - candidate.Line) <= 12 && SaysMore(other, candidate));

    /// <summary>Numbers say more than none; of two without, the one that names its program, and then the first.</summary>
    private static bool SaysMore(OutOfMemoryEvent other, OutOfMemoryEvent candidate) =>
        other.Ledger.Requested is not null || other.Ledger.Total is not null || other.Serving is not null
        || (candidate.Family == "cuda" && (other.Family != "cuda" || (other.Line == candidate.Line && other.Position < candidate.Position)));
}
