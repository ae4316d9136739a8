using System.Collections.Immutable;
using Plimsoll.Diagnostics.OutOfMemory.Grammars;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Finds every message about memory in a log.</summary>
public static class OutOfMemoryReader
{
    private static readonly ImmutableArray<IMessageGrammar> Grammars =
    [
        new PyTorchGrammar(), .. ServingGrammars.All(), new GgmlGrammar(), .. FrameworkGrammars.All(), .. TorchGrammars.All(),
    ];

    /// <summary>All events in the order of the log. Where two grammars read the same words, the one that says more is kept.</summary>
    public static ImmutableArray<OutOfMemoryEvent> Find(LogText log)
    {
        var found = Grammars.SelectMany(grammar => grammar.Find(log)).OrderBy(each => each.Position).ToList();
        // A cuBLAS or driver failure is often quoted once more by what was above it, on the same line.
        return [.. found.DistinctBy(each => (each.Family, each.Line, each.Ledger.Requested)).Where(each => !IsEcho(each, found))];
    }

    /// <summary>llama.cpp prints a bare "CUDA error: out of memory" too, and vLLM wraps PyTorch's text: the richer event stands for both.</summary>
    private static bool IsEcho(OutOfMemoryEvent candidate, List<OutOfMemoryEvent> all) =>
        candidate.Ledger.Requested is null && candidate.Serving is null && candidate.Family is "cuda" or "cuda-driver" &&
        all.Any(other => other != candidate && other.Kind == MemoryKind.Device && other.Ledger.Requested is not null && Math.Abs(other.Line - candidate.Line) <= 12);
}
