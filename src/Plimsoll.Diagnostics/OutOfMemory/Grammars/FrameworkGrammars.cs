using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>TensorFlow, JAX, ONNX Runtime and CuPy.</summary>
internal static partial class FrameworkGrammars
{
    private const string Size = @"\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?B|bytes|B)";

    /// <summary>Bytes of an element by TensorFlow's names of types.</summary>
    private static readonly Dictionary<string, int> TypeBytes = new(StringComparer.Ordinal)
    {
        ["half"] = 2, ["bfloat16"] = 2, ["float"] = 4, ["double"] = 8, ["int8"] = 1, ["uint8"] = 1, ["bool"] = 1, ["int16"] = 2, ["int32"] = 4, ["int64"] = 8, ["complex64"] = 8,
    };

    public static IEnumerable<IMessageGrammar> All()
    {
        yield return new PatternGrammar("tensorflow-tensor", "TensorFlow", MemoryKind.Device, TensorShape, Shaped);
        yield return new PatternGrammar("tensorflow-allocator", "TensorFlow", MemoryKind.Device, TensorAllocator);
        yield return new PatternGrammar("jax", "JAX", MemoryKind.Device, Jax);
        yield return new PatternGrammar("onnxruntime", "ONNX Runtime", MemoryKind.Device, Onnx, (found, match) => found with
        {
            Ledger = found.Ledger with
            {
                Requested = Plain(match, "size"),
                Free = Plain(match, "available"),
            },
        });
        yield return new PatternGrammar("tensorflow-allocator", "TensorFlow", MemoryKind.Device, StreamExecutor, (found, match) => found with { Backend = "CUDA", Ledger = found.Ledger with { Requested = Plain(match, "size") } });
        yield return new PatternGrammar("mlx", "MLX", MemoryKind.Device, Mlx, (found, match) => found with { Backend = "Metal", Ledger = found.Ledger with { Requested = Plain(match, "size"), Allowed = Plain(match, "limit") } });
        yield return new PatternGrammar("cupy", "CuPy", MemoryKind.Device, Cupy, (found, _) => found with { Backend = "CUDA" });
    }

    /// <summary>A shape and a type are an exact size; without the type TensorFlow's default is single precision.</summary>
    private static OutOfMemoryEvent Shaped(OutOfMemoryEvent found, Match match)
    {
        var type = match.Groups["type"] is { Success: true } named ? named.Value : "float";
        var isHost = match.Groups["device"].Value.Contains("CPU", StringComparison.OrdinalIgnoreCase);
        var what = $"shape[{match.Groups["shape"].Value}] {type}";
        var elements = match.Groups["shape"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Aggregate((UInt128)1, (product, size) => product * (UInt128)ulong.Parse(size.Trim(), CultureInfo.InvariantCulture));
        var exact = TypeBytes.TryGetValue(type, out var bytes) && elements * (UInt128)bytes <= long.MaxValue ? new Amount((long)(elements * (UInt128)bytes)) : (Amount?)null;
        return found with
        {
            Device = match.Groups["gpu"] is { Success: true } gpu && int.TryParse(gpu.ValueSpan, out var device) ? device : null,
            Kind = isHost ? MemoryKind.Host : MemoryKind.Device,
            What = what,
            Ledger = found.Ledger with { Requested = exact },
        };
    }

    private static Amount? Plain(Match match, string name) => match.Groups[name] is { Success: true } digits ? Amount.Parse(digits.Value + " bytes") : null;

    [GeneratedRegex(@"OOM when allocating tensor(?: of shape)? ?(?:with shape)? ?\[(?<shape>\d{1,12}(?:, ?\d{1,12}){0,7})\](?: and type (?<type>\w+))?(?: on (?<device>\S*?(?:GPU:(?<gpu>\d+)|CPU:\d+)\S*))?(?: by allocator \S+)?", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex TensorShape { get; }

    [GeneratedRegex($@"Allocator \((?:GPU_(?<device>\d+)_bfc|\w+)\) ran out of memory trying to allocate (?<requested>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex TensorAllocator { get; }

    [GeneratedRegex($@"(?:RESOURCE_EXHAUSTED|Resource exhausted): (?:Out of memory (?:while trying to allocate|allocating)|Failed to allocate request for) (?<requested>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex Jax { get; }

    [GeneratedRegex(@"failed to allocate [\d.]+[KMGT]i?B? \((?<size>\d+) bytes\) from device", RegexOptions.CultureInvariant)]
    private static partial Regex StreamExecutor { get; }

    [GeneratedRegex(@"Attempting to allocate (?<size>\d+) bytes which is greater than the maximum allowed buffer size of (?<limit>\d+) bytes|\[METAL\] Command buffer execution failed: Insufficient Memory", RegexOptions.CultureInvariant)]
    private static partial Regex Mlx { get; }

    [GeneratedRegex(@"BFCArena::AllocateRawInternal.{0,400}?(?:Failed to allocate memory for requested buffer of size (?<size>\d+)|Available memory of (?<available>\d+|N) is smaller than requested bytes of (?<size>\d+|M))", RegexOptions.CultureInvariant)]
    private static partial Regex Onnx { get; }

    [GeneratedRegex($@"Out of memory allocating (?<requested>{Size}) \(allocated so far: (?<allocated>{Size})(?:, limit set to: (?<allowed>{Size}))?\)", RegexOptions.CultureInvariant)]
    private static partial Regex Cupy { get; }
}
