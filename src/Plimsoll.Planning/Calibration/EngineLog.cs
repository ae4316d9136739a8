using System.Collections.Immutable;

namespace Plimsoll.Planning.Calibration;

/// <summary>Whose log it is.</summary>
public enum EngineLogKind
{
    /// <summary>llama.cpp and what is built on it.</summary>
    LlamaCpp,
    Vllm,

    /// <summary>torch's own account of its allocator.</summary>
    PyTorch,
}

/// <summary>What a logged size is the size of.</summary>
public enum LogTerm
{
    Weights,
    KvCache,
    RecurrentState,
    Compute,
    Output,

    /// <summary>What the driver and its libraries take outside the engine's allocator.</summary>
    Context,
    ActivationPeak,
    Graphs,
    Allocated,
    Reserved,

    /// <summary>What <c>nvidia-smi</c> reports for the process.</summary>
    Process,
}

/// <summary>One size of a log.</summary>
/// <param name="Place">The buffer, rank or device it belongs to: <c>CUDA0</c>, <c>CPU_Mapped</c>, <c>0</c>.</param>
/// <param name="Bytes">The printed figure in bytes.</param>
/// <param name="Rounding">Half a unit of its last printed digit, in bytes.</param>
public sealed record LoggedSize(LogTerm Term, string Place, long Bytes, long Rounding)
{
    /// <summary>Ordinary memory: <c>CPU</c>, <c>CPU_Mapped</c>, <c>CUDA_Host</c>.</summary>
    public bool IsHost => Place.StartsWith("CPU", StringComparison.OrdinalIgnoreCase) || Place.EndsWith("_Host", StringComparison.OrdinalIgnoreCase) || Place.Equals("Host", StringComparison.OrdinalIgnoreCase);
}

/// <summary>What a log of an engine says about memory: sizes by term, and the settings that it prints.</summary>
/// <remarks>A log of several starts counts for the last of them.</remarks>
public sealed record EngineLog
{
    /// <summary>Load logs have some 100 KB, server logs of a day some 10 MB; beyond it the file is not a log of one start.</summary>
    public const long MaxBytes = 64L << 20;

    /// <summary>The file as the user named it.</summary>
    public required string Path { get; init; }

    public required EngineLogKind Kind { get; init; }

    public required ImmutableArray<LoggedSize> Sizes { get; init; }

    /// <summary>Settings by the names of the measured cases: <c>n_ctx</c>, <c>n_ubatch</c>, <c>flash_attn</c>, <c>tp</c>, …</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>The shape that llama.cpp prints of its model (<c>arch</c>, <c>n_layer</c>, …); empty elsewhere.</summary>
    public IReadOnlyDictionary<string, string> Architecture { get; init; } = new Dictionary<string, string>();

    /// <summary>Recognises and reads a log of llama.cpp, vLLM or PyTorch.</summary>
    /// <exception cref="EngineLogException">It is none of them, or too large.</exception>
    public static EngineLog Read(string path)
    {
        var length = new FileInfo(path).Length;
        if (length > MaxBytes)
            throw new EngineLogException($"{path}: a log of {length >> 20} MiB; up to {MaxBytes >> 20} MiB are read (cut it to the lines of one start)");
        using var reader = new StreamReader(path);
        return Read(reader, path);
    }

    internal static EngineLog Read(TextReader reader, string path)
    {
        var llamaCpp = new LlamaCppLogReader();
        var vllm = new VllmLogReader();
        var torch = new PyTorchLogReader();
        foreach (var line in LogText.Lines(reader))
        {
            llamaCpp.Add(line);
            vllm.Add(line);
            torch.Add(line);
        }
        // vLLM and trainers print lines of torch too, never the reverse.
        if (llamaCpp.Found)
            return llamaCpp.ToLog(path, torch.Processes);
        if (vllm.Found)
            return vllm.ToLog(path);
        if (torch.Found)
            return torch.ToLog(path);
        throw new EngineLogException(
            $"{path}: no memory figures of a known engine. Looked for llama.cpp (\"... buffer size = 123.45 MiB\"), vLLM (\"model weights take 14.99GiB\", \"Model loading took 14.99 GiB\", "
            + "\"GPU KV cache size: 123,456 tokens\") and PyTorch (torch.cuda.memory_summary(), or \"allocated: 14.99 GiB, reserved: 15.20 GiB\")");
    }

    internal IEnumerable<LoggedSize> Of(LogTerm term) => Sizes.Where(size => size.Term == term);

    internal string? Setting(string name) => Settings.GetValueOrDefault(name);
}

/// <summary>A file is not a log that can be read; the message says what was looked for.</summary>
public sealed class EngineLogException(string message) : Exception(message);
