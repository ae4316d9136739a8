using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>CUDA, HIP, Level Zero, OpenCL and Vulkan themselves, their libraries, TensorRT and NCCL. Most of their messages have no numbers.</summary>
internal static partial class DriverGrammars
{
    public static IEnumerable<IMessageGrammar> All()
    {
        yield return new PatternGrammar("cuda-driver", "CUDA", MemoryKind.Device, Driver, backend: "CUDA");
        yield return new PatternGrammar("cuda", "CUDA", MemoryKind.Device, Runtime, backend: "CUDA");
        yield return new PatternGrammar("cuda", "ROCm", MemoryKind.Device, Hip, backend: "HIP");
        yield return new PatternGrammar("cuda", "Level Zero", MemoryKind.Device, LevelZero, backend: "XPU");
        yield return new PatternGrammar("cuda", "OpenCL", MemoryKind.Device, OpenCl, backend: "OpenCL");
        yield return new PatternGrammar("cublas-alloc-failed", "cuBLAS", MemoryKind.Device, Blas, Library);
        yield return new PatternGrammar("library-alloc-failed", "CUDA library", MemoryKind.Device, OtherLibrary, Library);
        yield return new PatternGrammar("tensorrt", "TensorRT", MemoryKind.Device, TensorRt, (found, match) => found with { Recovered = match.Value.Contains("tactic", StringComparison.Ordinal) }, "CUDA");
        yield return new PatternGrammar("nccl", "NCCL", MemoryKind.Device, Nccl, backend: "CUDA");
        yield return new PatternGrammar("kernel-shared-memory", "Triton", MemoryKind.None, KernelResource);
    }

    private static OutOfMemoryEvent Library(OutOfMemoryEvent found, Match match) => found with
    {
        Backend = match.Value.StartsWith("CU", StringComparison.OrdinalIgnoreCase) || match.Value.Contains("cudnn", StringComparison.Ordinal) ? "CUDA" : "HIP",
        Program = match.Groups["library"].Value.ToUpperInvariant() switch
        {
            "CUBLAS" => "cuBLAS", "CUDNN" => "cuDNN", "CUSPARSE" => "cuSPARSE", "CUSOLVER" => "cuSOLVER", "CUFFT" => "cuFFT", "CURAND" => "cuRAND",
            "HIPBLAS" => "hipBLAS", "ROCBLAS" => "rocBLAS", "MIOPEN" => "MIOpen", _ => found.Program,
        },
    };

    [GeneratedRegex(@"CUDA driver error: out of memory", RegexOptions.CultureInvariant)]
    private static partial Regex Driver { get; }

    [GeneratedRegex("""
          cuda\ runtime\ error\ \(2\)\ ?:\ out\ of\ memory(?:\ at\ \S+)?
        | THCudaCheck\ FAIL\ file=\S+\ line=\d+\ error=2\ ?:\ out\ of\ memory
        | CUDA\ [Ee]rror(?:\ [Pp]rev)?(?:\ \d+)?:\ [Oo]ut\ of\ memory(?:\ current\ device:\ (?<device>\d+),\ in\ function\ \S+)?
        | CUDA\ (?:failed\ with\ error|runtime\ error\ in\ .{0,160}?\):)\ out\ of\ memory
        | Check\ failed:\ \S+\ ==\ cudaSuccess\ \(2\ vs\.\ 0\)\ +out\ of\ memory
        | cudaErrorMemoryAllocation | CUDA_ERROR_OUT_OF_MEMORY(?::\ out\ of\ memory)?
        | code:\ 2,\ reason:\ out\ of\ memory | CUDA\ failure\ 2:\ out\ of\ memory | Cuda\ Runtime\ \(out\ of\ memory\)
        | cuMemAlloc(?:_v2)?(?:\([^)]*\))?\ failed:\ out\ of\ memory | Out\ of\ memory\ in\ cuMemAlloc\w* | System\ is\ out\ of\ GPU\ memory
        | \(OutOfMemory\) | Insufficient\ VRAM\ for\ model
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Runtime { get; }

    [GeneratedRegex(@"HIP error: out of memory|hipError(?:OutOfMemory|MemoryAllocation)|HSA_STATUS_ERROR_OUT_OF_RESOURCES", RegexOptions.CultureInvariant)]
    private static partial Regex Hip { get; }

    [GeneratedRegex(@"UR_RESULT_ERROR_OUT_OF_(?:DEVICE_MEMORY|RESOURCES)|PI_ERROR_OUT_OF_(?:DEVICE_MEMORY|RESOURCES)|ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY|(?<!_)OUT_OF_DEVICE_MEMORY(?=\))", RegexOptions.CultureInvariant)]
    private static partial Regex LevelZero { get; }

    [GeneratedRegex(@"CL_MEM_OBJECT_ALLOCATION_FAILURE|CL_OUT_OF_RESOURCES", RegexOptions.CultureInvariant)]
    private static partial Regex OpenCl { get; }

    /// <summary>A handle that cannot be created is nearly always memory, and now and then an earlier kernel's fault.</summary>
    [GeneratedRegex(@"(?<library>CUBLAS|HIPBLAS)_STATUS_(?:ALLOC_FAILED(?: when calling `[^`]{1,120}`)?|NOT_INITIALIZED when calling `(?:cu|hip)blasCreate[^`]{0,80}`)|(?<library>rocblas)_status_memory_error", RegexOptions.CultureInvariant)]
    private static partial Regex Blas { get; }

    [GeneratedRegex(@"(?<library>CUDNN|CUSPARSE|CUSOLVER|CURAND)_STATUS_(?:ALLOC(?:ATION)?_FAILED|INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED|INSUFFICIENT_RESOURCES)|(?<library>CUFFT)_ALLOC_FAILED|(?<library>MIOPEN|miopen)StatusAllocFailed|[Cc]ould not create (?<library>cudnn) handle: \w+", RegexOptions.CultureInvariant)]
    private static partial Regex OtherLibrary { get; }

    [GeneratedRegex(@"Requested amount of GPU memory \((?<size>\d+) bytes\) could not be allocated|Error Code 2: OutOfMemory(?: \(Requested size was (?<size>\d+) bytes)?|[Ss]kipping tactic \S+ due to insufficient memory on requested size of (?<size>\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex TensorRt { get; }

    [GeneratedRegex(@"Cuda failure (?:\d+ )?'out of memory'", RegexOptions.CultureInvariant)]
    private static partial Regex Nccl { get; }

    /// <summary>What one block of a kernel may use on the chip.</summary>
    [GeneratedRegex(@"out of resources?: (?:shared memory|tensor memory|threads|registers), Required: \d+, Hardware limit: \d+|too many resources requested for launch|cudaErrorLaunchOutOfResources", RegexOptions.CultureInvariant)]
    private static partial Regex KernelResource { get; }
}
