using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>What PyTorch and CUDA libraries print besides the allocator's balance: other backends, masked failures, the host.</summary>
internal static partial class TorchGrammars
{
    private const string Size = @"\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?B|bytes|B)";

    public static IEnumerable<IMessageGrammar> All()
    {
        yield return new PatternGrammar("pytorch-mps", "PyTorch", MemoryKind.Device, Mps, (found, match) => found with
        {
            Backend = "MPS",
            Ledger = found.Ledger with { OtherAllocations = PatternGrammar.Bytes(match, "other") },
        });
        yield return new PatternGrammar("pytorch", "PyTorch", MemoryKind.Device, AsyncAllocator, (found, _) => found with { Backend = "CUDA" });
        yield return new PatternGrammar("cuda", "PyTorch", MemoryKind.Device, AsyncBare, (found, _) => found with { Backend = "CUDA" });
        yield return new PatternGrammar("cuda", "Level Zero", MemoryKind.Device, LevelZero, (found, _) => found with { Backend = "XPU" });
        yield return new PatternGrammar("pytorch-masked", "PyTorch", MemoryKind.Device, Masked, (found, _) => found with { Backend = "CUDA" });
        yield return new PatternGrammar("cublas-alloc-failed", "cuBLAS", MemoryKind.Device, Cublas, (found, _) => found with { Backend = "CUDA" });
        yield return new PatternGrammar("cuda-driver", "CUDA", MemoryKind.Device, Driver, (found, _) => found with { Backend = "CUDA" });
        yield return new PatternGrammar("cuda", "CUDA", MemoryKind.Device, Runtime, (found, _) => found with { Backend = "CUDA" });
        yield return new PatternGrammar("nccl", "NCCL", MemoryKind.Device, Nccl, (found, _) => found with { Backend = "CUDA" });
        yield return new PatternGrammar("host-allocator", "PyTorch", MemoryKind.Host, HostAllocator);
        yield return new PatternGrammar("host-killed", "the operating system", MemoryKind.Host, Killed);
        yield return new PatternGrammar("accelerate-dispatch", "transformers", MemoryKind.Device, Dispatched);
        yield return new PatternGrammar("kernel-shared-memory", "Triton", MemoryKind.None, SharedMemory);
        yield return new PatternGrammar("xpu-no-query", "PyTorch", MemoryKind.None, NoQuery, (found, _) => found with { Backend = "XPU" });
    }

    [GeneratedRegex($@"MPS backend out of memory \(MPS allocated: (?<allocated>{Size}), other allocations: (?<other>{Size}), max allowed: (?<allowed>{Size})\)\. Tried to allocate (?<requested>{Size})(?: on (?:shared|private) pool)?", RegexOptions.CultureInvariant)]
    private static partial Regex Mps { get; }

    /// <summary>The backend cudaMallocAsync, which ComfyUI turns on, words its balance its own way.</summary>
    [GeneratedRegex($@"Allocation on device (?<device>\d+) would exceed allowed memory\. \(out of memory\) Currently allocated ?: (?<allocated>{Size}) Requested ?: (?<requested>{Size}) Device limit ?: (?<total>{Size}) Free \(according to CUDA\): ?(?<free>{Size})(?: PyTorch limit \(set by user-supplied memory fraction\) ?: (?<allowed>{Size}))?", RegexOptions.CultureInvariant)]
    private static partial Regex AsyncAllocator { get; }

    [GeneratedRegex(@"OutOfMemoryError: Allocation on device(?: \d+)?(?! \d* ?would)", RegexOptions.CultureInvariant)]
    private static partial Regex AsyncBare { get; }

    [GeneratedRegex(@"UR_RESULT_ERROR_OUT_OF_(?:DEVICE_MEMORY|RESOURCES)|PI_ERROR_OUT_OF_(?:DEVICE_MEMORY|RESOURCES)|OUT_OF_DEVICE_MEMORY(?=\))", RegexOptions.CultureInvariant)]
    private static partial Regex LevelZero { get; }

    /// <summary>The allocator asks NVML for the numbers of its own message; where that fails, the assertion hides the message.</summary>
    [GeneratedRegex(@"(?:NVML_SUCCESS == \S+|handle_0|[\w:>()\-]*nvmlInit_v2_\(\)) INTERNAL ASSERT FAILED at ""?[^""]{0,200}?(?:CUDACachingAllocator|driver_api)\.cpp""?:\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Masked { get; }

    [GeneratedRegex(@"CUBLAS_STATUS_ALLOC_FAILED(?: when calling `[^`]{1,120}`)?", RegexOptions.CultureInvariant)]
    private static partial Regex Cublas { get; }

    [GeneratedRegex(@"CUDA driver error: out of memory", RegexOptions.CultureInvariant)]
    private static partial Regex Driver { get; }

    [GeneratedRegex(@"cuda runtime error \(2\) ?: out of memory(?: at \S+)?|CUDA error(?: \d+)?: out of memory(?: current device: (?<device>\d+), in function \S+)?|CUDA failed with error out of memory|cudaErrorMemoryAllocation|cudaMalloc\([^)]{0,120}\)[^.]{0,10}in file \S+ code: 2, reason: out of memory|code: 2, reason: out of memory|HIP error: out of memory|hipErrorOutOfMemory|CUDA_ERROR_OUT_OF_MEMORY(?:: out of memory)?|CUDA failure 2: out of memory|cuMemAlloc failed: out of memory|\(OutOfMemory\)|Insufficient VRAM for model", RegexOptions.CultureInvariant)]
    private static partial Regex Runtime { get; }

    [GeneratedRegex(@"NCCL WARN Cuda failure (?:\d+ )?'out of memory'", RegexOptions.CultureInvariant)]
    private static partial Regex Nccl { get; }

    [GeneratedRegex($@"DefaultCPUAllocator: (?:can't allocate memory|not enough memory): you tried to allocate (?<requested>{Size})|std::bad_alloc|\[Errno 12\] Cannot allocate memory|(?<=[\s:])MemoryError(?=\s*$|\s*:)|(?:numpy\.\S*|numpy\.core\._exceptions\.)?_ArrayMemoryError: Unable to allocate (?<requested>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex HostAllocator { get; }

    [GeneratedRegex(@"failed \(exitcode: -9\)|Signal 9 \(SIGKILL\) received|\bexit code:? 137\b|exited with code 137|\bOOMKilled\b|Out of memory: Killed process \d+|oom-kill:|died with <Signals\.SIGKILL: 9>|Detected \d+ oom[-_]kill event", RegexOptions.CultureInvariant)]
    private static partial Regex Killed { get; }

    [GeneratedRegex(@"Some modules are dispatched on the CPU or the disk\.", RegexOptions.CultureInvariant)]
    private static partial Regex Dispatched { get; }

    [GeneratedRegex(@"out of resources?: shared memory, Required: \d+, Hardware limit: \d+", RegexOptions.CultureInvariant)]
    private static partial Regex SharedMemory { get; }

    [GeneratedRegex(@"The device \([^)]*(?:\([^)]*\)[^)]*)*\) doesn't support querying the available free memory", RegexOptions.CultureInvariant)]
    private static partial Regex NoQuery { get; }
}
