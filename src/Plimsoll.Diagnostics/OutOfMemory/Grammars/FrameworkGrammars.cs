using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>TensorFlow, JAX and the TPU, ONNX Runtime, CuPy, MLX, PaddlePaddle, MXNet, MindSpore, OpenVINO, DirectML, XGBoost and RAPIDS.</summary>
internal static partial class FrameworkGrammars
{
    /// <summary>XLA writes <c>15.48G</c>, the others <c>2.00GiB</c>.</summary>
    private const string Size = @"\d[\d,]*(?:\.\d+)? ?(?:[KMGTPk]i?B|[KMGTP]\b|bytes|B)";

    /// <summary>Bytes of an element by TensorFlow's names of types.</summary>
    private static readonly Dictionary<string, int> TypeBytes = new(StringComparer.Ordinal)
    {
        ["half"] = 2, ["bfloat16"] = 2, ["float"] = 4, ["double"] = 8, ["int8"] = 1, ["uint8"] = 1, ["bool"] = 1, ["int16"] = 2, ["int32"] = 4, ["int64"] = 8, ["complex64"] = 8,
    };

    public static IEnumerable<IMessageGrammar> All()
    {
        yield return new PatternGrammar("tensorflow-tensor", "TensorFlow", MemoryKind.Device, TensorShape, Shaped);
        yield return new PatternGrammar("tensorflow-allocator", "TensorFlow", MemoryKind.Device, TensorAllocator);
        yield return new PatternGrammar("tensorflow-allocator", "TensorFlow", MemoryKind.Device, StreamExecutor, backend: "CUDA");
        yield return new PatternGrammar("tensorflow-masked", "TensorFlow", MemoryKind.Device, TensorMasked);
        yield return new PatternGrammar("jax", "JAX", MemoryKind.Device, Jax);
        yield return new PatternGrammar("tpu-compile", "JAX", MemoryKind.Device, TpuCompile, backend: "TPU");
        yield return new PatternGrammar("jax", "JAX", MemoryKind.Device, TpuRuntime, backend: "TPU");
        yield return new PatternGrammar("kernel-shared-memory", "Pallas", MemoryKind.None, TpuVector, backend: "TPU");
        yield return new PatternGrammar("xla-pressure", "JAX", MemoryKind.None, Rematerialization);
        yield return new PatternGrammar("onnxruntime", "ONNX Runtime", MemoryKind.Device, Onnx);
        yield return new PatternGrammar("mlx", "MLX", MemoryKind.Device, Mlx, backend: "Metal");
        yield return new PatternGrammar("cupy", "CuPy", MemoryKind.Device, Cupy, backend: "CUDA");
        yield return new PatternGrammar("paddle", "PaddlePaddle", MemoryKind.Device, Paddle);
        yield return new PatternGrammar("mxnet", "MXNet", MemoryKind.Device, Mxnet, backend: "CUDA");
        yield return new PatternGrammar("mindspore", "MindSpore", MemoryKind.Device, Mindspore);
        yield return new PatternGrammar("single-allocation", "OpenVINO", MemoryKind.Device, OpenVino);
        yield return new PatternGrammar("directml", "DirectML", MemoryKind.Device, DirectMl, backend: "DirectML");
        yield return new PatternGrammar("xgboost", "XGBoost", MemoryKind.Device, XgBoost, backend: "CUDA");
        yield return new PatternGrammar("rapids", "RAPIDS", MemoryKind.Device, Rapids, backend: "CUDA");
    }

    /// <summary>A shape and a type are an exact size; without the type TensorFlow's default is single precision.</summary>
    private static OutOfMemoryEvent Shaped(OutOfMemoryEvent found, Match match)
    {
        var type = match.Groups["type"] is { Success: true } named ? named.Value : "float";
        var isHost = match.Groups["place"].Value.Contains("CPU", StringComparison.OrdinalIgnoreCase);
        var elements = match.Groups["shape"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Aggregate((UInt128)1, (product, size) => product * (UInt128)ulong.Parse(size.Trim(), CultureInfo.InvariantCulture));
        var exact = TypeBytes.TryGetValue(type, out var bytes) && elements * (UInt128)bytes <= long.MaxValue ? new Amount((long)(elements * (UInt128)bytes)) : (Amount?)null;
        return found with
        {
            Kind = isHost ? MemoryKind.Host : MemoryKind.Device,
            What = $"shape[{match.Groups["shape"].Value}] {type}",
            Ledger = found.Ledger with { Requested = exact },
        };
    }

    [GeneratedRegex(@"OOM when allocating tensor(?: of shape)? ?(?:with shape)? ?\[(?<shape>\d{1,12}(?:, ?\d{1,12}){0,7})\](?: and type (?<type>\w+))?(?: on (?<place>\S*?(?:GPU:(?<device>\d+)|CPU:\d+)\S*))?(?: by allocator \S+)?", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex TensorShape { get; }

    [GeneratedRegex($@"Allocator \((?:GPU_(?<device>\d+)_bfc|\w+)\) ran out of memory trying to allocate (?<requested>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex TensorAllocator { get; }

    [GeneratedRegex(@"failed to allocate [\d.]+[KMGT]i?B? \((?<size>\d+) bytes\) from device", RegexOptions.CultureInvariant)]
    private static partial Regex StreamExecutor { get; }

    /// <summary>A copy to a device that had no room for it.</summary>
    [GeneratedRegex(@"Dst tensor is not initialized", RegexOptions.CultureInvariant)]
    private static partial Regex TensorMasked { get; }

    [GeneratedRegex($@"(?:RESOURCE_EXHAUSTED|Resource exhausted): (?:Out of memory (?:while trying to allocate|allocating)|Failed to allocate request for) (?<requested>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex Jax { get; }

    /// <summary>The compiler adds up the program before it runs; what is used is not one tensor.</summary>
    [GeneratedRegex($@"Ran out of memory in memory space hbm\.? Used (?<allocated>{Size}) of (?<total>{Size}) hbm|Hbm usage: (?<allocated>{Size}),(?: SparseCore Hbm usage:? {Size},)? exceeding available bytes: (?<total>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex TpuCompile { get; }

    [GeneratedRegex($@"Attempting to (?:allocate|reserve) (?<requested>{Size})(?: at the bottom of memory)?\. That was not possible\. There are (?<free>{Size}) free", RegexOptions.CultureInvariant)]
    private static partial Regex TpuRuntime { get; }

    [GeneratedRegex(@"Ran out of memory in memory space (?:vmem|smem|cmem)", RegexOptions.CultureInvariant)]
    private static partial Regex TpuVector { get; }

    [GeneratedRegex($@"Can't reduce memory use below {Size}(?: \(\d+ bytes\))? by rematerialization; only reduced to {Size}", RegexOptions.CultureInvariant)]
    private static partial Regex Rematerialization { get; }

    [GeneratedRegex(@"Attempting to allocate (?<size>\d+) bytes which is greater than the maximum allowed buffer size of (?<limit>\d+) bytes|\[METAL\] Command buffer execution failed: Insufficient Memory", RegexOptions.CultureInvariant)]
    private static partial Regex Mlx { get; }

    [GeneratedRegex(@"(?:BFCArena::AllocateRawInternal.{0,400}?)?(?:Failed to allocate memory for requested buffer(?: of size (?<size>\d+))?|(?<=BFCArena::AllocateRawInternal.{0,400})Available memory of (?<left>\d+|N) is smaller than requested bytes of (?<size>\d+|M))", RegexOptions.CultureInvariant)]
    private static partial Regex Onnx { get; }

    [GeneratedRegex($@"Out of memory allocating (?<requested>{Size}) \(allocated so far: (?<allocated>{Size})(?:, limit set to: (?<allowed>{Size}))?\)", RegexOptions.CultureInvariant)]
    private static partial Regex Cupy { get; }

    [GeneratedRegex($@"Out of memory error on \w+:? ?(?<device>\d+)\. Cannot allocate (?<requested>{Size}) memory on \w+:? ?\d+,(?: (?<allocated>{Size}) memory has been allocated and)? available memory is only (?<free>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex Paddle { get; }

    [GeneratedRegex(@"storage_manager\.h:\d+\]?:? .{0,80}?(?:cudaMalloc(?: retry)? failed|Memory allocation failed):? out of memory", RegexOptions.CultureInvariant)]
    private static partial Regex Mxnet { get; }

    [GeneratedRegex(@"Device(?:\(id:(?<device>\d+)\))? memory isn't enough and alloc failed(?:.{0,300}?alloc size: ?(?<size>\d+))?|Out of Memory!{3} Request memory size: (?<size>\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Mindspore { get; }

    [GeneratedRegex(@"Exceeded max size of memory object allocation: [Rr]equested (?<size>[\d,]+) bytes,? but max alloc size (?:supported by device )?is (?<limit>[\d,]+)", RegexOptions.CultureInvariant)]
    private static partial Regex OpenVino { get; }

    [GeneratedRegex(@"Could not allocate tensor with (?<size>\d+) bytes\. There is not enough GPU video memory available", RegexOptions.CultureInvariant)]
    private static partial Regex DirectMl { get; }

    [GeneratedRegex($@"Memory allocation error on worker \d+: .{{0,300}}?Free memory: (?<free>{Size}) ?- ?Requested memory: (?<requested>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex XgBoost { get; }

    /// <summary>RMM's exception derives from std::bad_alloc, which elsewhere means the host.</summary>
    [GeneratedRegex($@"(?:std::bad_alloc: |rmm::)out_of_memory: (?:CUDA error|RMM failure)(?: \(failed to allocate (?<requested>{Size})\))? at:? ?\S*", RegexOptions.CultureInvariant)]
    private static partial Regex Rapids { get; }
}
