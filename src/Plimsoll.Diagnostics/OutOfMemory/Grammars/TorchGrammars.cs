using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>What PyTorch prints besides the allocator's balance: other backends, single buffers, masked failures, and libraries on top of it.</summary>
internal static partial class TorchGrammars
{
    private const string Size = @"\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?B|bytes|B)";

    public static IEnumerable<IMessageGrammar> All()
    {
        yield return new PatternGrammar("pytorch-mps", "PyTorch", MemoryKind.Device, Mps, (found, match) => found with
        {
            Ledger = found.Ledger with { OtherAllocations = PatternGrammar.Bytes(match, "other") },
        }, "MPS");
        yield return new PatternGrammar("single-allocation", "PyTorch", MemoryKind.Device, MpsBuffer, backend: "MPS");
        yield return new PatternGrammar("pytorch-hpu", "PyTorch", MemoryKind.Device, Gaudi, backend: "HPU");
        yield return new PatternGrammar("cann", "CANN", MemoryKind.Device, Cann, backend: "NPU");
        yield return new PatternGrammar("pytorch", "PyTorch", MemoryKind.Device, AsyncAllocator, backend: "CUDA");
        yield return new PatternGrammar("cuda", "PyTorch", MemoryKind.Device, AsyncBare, backend: "CUDA");
        yield return new PatternGrammar("cuda", "PyTorch", MemoryKind.Device, Bare, (found, match) => found with { Backend = match.Groups["backend"].Value });
        yield return new PatternGrammar("pytorch-masked", "PyTorch", MemoryKind.Device, Masked, backend: "CUDA");
        yield return new PatternGrammar("accelerate-dispatch", "transformers", MemoryKind.Device, Dispatched);
        yield return new PatternGrammar("accelerate-batch", "accelerate", MemoryKind.Device, NoBatch);
        yield return new PatternGrammar("deepspeed-pressure", "DeepSpeed", MemoryKind.None, CacheFlushes);
        yield return new PatternGrammar("xpu-no-query", "PyTorch", MemoryKind.None, NoQuery, backend: "XPU");
    }

    [GeneratedRegex($@"MPS backend out of memory \(MPS allocated: (?<allocated>{Size})(?:, other allocations: (?<other>{Size}))?, max allowed: (?<allowed>{Size})\)(?:\. Tried to allocate (?<requested>{Size})(?: on (?:shared|private) pool)?)?", RegexOptions.CultureInvariant)]
    private static partial Regex Mps { get; }

    /// <summary>Metal's own limits of one buffer, whatever is free.</summary>
    [GeneratedRegex($@"Invalid buffer size: (?<requested>\d[\d.]* ?[KMGT]i?B)|total bytes of NDArray > 2\*\*3[12]", RegexOptions.CultureInvariant)]
    private static partial Regex MpsBuffer { get; }

    [GeneratedRegex(@"PT_DEVMEM Allocation failed for size::(?<size>\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Gaudi { get; }

    [GeneratedRegex(@"EL0004:.{0,80}?Failed to allocate memory|Call rtMalloc fail.{0,120}?size:(?<size>\d+)(?:, device_id:(?<device>\d+))?|alloc device memory failed, runtime result = 207001|ACL_ERROR_RT_MEMORY_ALLOCATION", RegexOptions.CultureInvariant)]
    private static partial Regex Cann { get; }

    /// <summary>The backend cudaMallocAsync, which ComfyUI turns on, words its balance its own way.</summary>
    [GeneratedRegex($@"Allocation on device (?<device>\d+) would exceed allowed memory\. \(out of memory\) Currently allocated ?: (?<allocated>{Size}) Requested ?: (?<requested>{Size}) Device limit ?: (?<total>{Size}) Free \(according to CUDA\): ?(?<free>{Size})(?: PyTorch limit \(set by user-supplied memory fraction\) ?: (?<allowed>{Size}))?", RegexOptions.CultureInvariant)]
    private static partial Regex AsyncAllocator { get; }

    [GeneratedRegex(@"OutOfMemoryError: Allocation on device(?: \d+)?(?! \d* ?would)|Allocation on device \d+ would exceed allowed memory\. \(out of memory\)(?! Currently allocated)", RegexOptions.CultureInvariant)]
    private static partial Regex AsyncBare { get; }

    /// <summary>The head alone, where a log or a wrapper dropped the balance.</summary>
    [GeneratedRegex(@"\b(?<backend>CUDA|HIP|XPU|NPU|MUSA|MLU) out of memory\b(?!\.? Tried to allocate \d| occurred when)", RegexOptions.CultureInvariant)]
    private static partial Regex Bare { get; }

    /// <summary>The allocator asks NVML for the numbers of its own message; where that fails, the assertion hides the message.</summary>
    [GeneratedRegex(@"(?:NVML_SUCCESS == \S+|handle_0|[\w:>()\-]*nvmlInit_v2_\(\)) INTERNAL ASSERT FAILED at ""?[^""]{0,200}?(?:CUDACachingAllocator|driver_api)\.cpp""?:\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Masked { get; }

    [GeneratedRegex(@"Some modules are dispatched on the CPU or the disk\.", RegexOptions.CultureInvariant)]
    private static partial Regex Dispatched { get; }

    [GeneratedRegex(@"No executable batch size found, reached zero", RegexOptions.CultureInvariant)]
    private static partial Regex NoBatch { get; }

    [GeneratedRegex(@"\d+ pytorch allocator cache flushes since last step", RegexOptions.CultureInvariant)]
    private static partial Regex CacheFlushes { get; }

    [GeneratedRegex(@"The device \([^)]*(?:\([^)]*\)[^)]*)*\) doesn't support querying the available free memory", RegexOptions.CultureInvariant)]
    private static partial Regex NoQuery { get; }
}
