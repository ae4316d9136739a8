using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Accuracy;

/// <summary>The settings of one llama.cpp load, read from a measured case.</summary>
internal sealed partial record LlamaCppLog
{
    private const int DefaultMicroBatch = 512;

    /// <summary>ollama asks for larger micro-batches than llama.cpp's own default.</summary>
    private const int OllamaMicroBatch = 1024;

    public required MeasuredCase Case { get; init; }

    public required ModelShape Model { get; init; }

    public required EngineProfile Engine { get; init; }

    public required long? ContextTokens { get; init; }

    public required KvFormat KvFormat { get; init; }

    public required LatentCacheLayout LatentLayout { get; init; }

    /// <summary>Why the cache cannot be computed from what is stated; null when it can.</summary>
    public string? CacheRefusal { get; init; }

    public bool? FlashAttention { get; private init; }

    private bool UsesLatent => Model.Layers.Any(layer => layer.Attention?.Latent is not null);

    [GeneratedRegex(@"(?<cache>c\^KV|kv\^T|K|V)\s*\((?<type>\w+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex CacheTypes { get; }

    [GeneratedRegex(@"(?<size>\d+([.,]\d+)?)\s*GiB", RegexOptions.CultureInvariant)]
    private static partial Regex GiB { get; }

    public static LlamaCppLog Read(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = ReadModel(measured, findModel);
        var (format, layout) = ReadCache(measured, model);
        var isFork = measured.Framework.StartsWith("ik", StringComparison.OrdinalIgnoreCase);
        var context = measured.IntegerSetting("n_ctx");
        return new()
        {
            Case = measured,
            Model = model,
            Engine = EngineCatalog.Default.Find(isFork ? "ik_llama.cpp" : IsRecent(measured) ? "llama.cpp" : "llama.cpp@b5000")!,
            ContextTokens = context,
            KvFormat = format,
            LatentLayout = layout,
            FlashAttention = measured.Switch("flash_attn"),
            CacheRefusal = context is null or <= 0 ? "the context length is not stated" : Contradiction(measured, model),
        };
    }

    public int GpuCount => Case.MeasuredElement("cards") is { ValueKind: JsonValueKind.Array } cards && cards.GetArrayLength() > 0
        ? cards.GetArrayLength()
        : Math.Max(1, DeviceBuffers().Count(buffer => !IsHost(buffer.Name)));

    public bool ComputesOnCpu => DeviceBuffers().Any() && DeviceBuffers().All(buffer => IsHost(buffer.Name));

    /// <summary>The logged compute buffers: of the GPUs, or of the CPU when there is no GPU.</summary>
    public double? DeviceComputeMiB
    {
        get
        {
            var buffers = DeviceBuffers().ToList();
            if (buffers.Count == 0)
                return Case.Measured("compute_mib") ?? Case.Measured("compute_gpu_mib");
            return ComputesOnCpu ? buffers.Max(buffer => buffer.MiB) : buffers.Where(buffer => !IsHost(buffer.Name)).Sum(buffer => buffer.MiB);
        }
    }

    /// <summary>Why the compute buffer is not predicted; null when it is.</summary>
    public string? ComputeRefusal
    {
        get
        {
            if (UsesLatent)
                return "compute buffers of multi-head latent attention depend on the build's kernels (-mla, -amb) and are not modelled to within a useful bound";
            if (FlashAttention is null && Case.Setting("flash_attn") is null)
                return "whether flash attention was on is not stated";
            if (Model.Layers.Any(layer => layer.FeedForward?.Experts is not null) && Case.Switch("fused_moe") is false)
                return "compute buffers without fused experts differ between builds";
            if (OffloadedLayers is { } offloaded && offloaded <= Model.Layers.Length && !(offloaded == 0 && ComputesOnCpu))
                return "partial offload: the scratch depends on which operations the scheduler moves";
            return IncompleteLog;
        }
    }

    public string? WeightRefusal
    {
        get
        {
            if (IncompleteLog is { } reason)
                return reason;
            var host = WeightBuffers().Count(buffer => IsHost(buffer.Name));
            if (host > 1)
                return "several host buffers: with mmap each covers a whole file, tensors of the GPU included";
            return Model.TiedEmbeddings && OffloadedLayers > 0 ? "the tied head is copied to the GPU in a type that is not stated" : null;
        }
    }

    /// <summary>Layers were offloaded, but the log shows no buffer of a GPU.</summary>
    private string? IncompleteLog => ComputesOnCpu && OffloadedLayers > 0 ? "the log shows offloaded layers and no GPU buffer" : null;

    public double? WeightsMiB => WeightBuffers().Any() ? WeightBuffers().Sum(buffer => buffer.MiB) : null;

    /// <summary>The model size that the log prints; European logs write a decimal comma.</summary>
    public long? FileBytes => Case.FileSize is { } text && GiB.Match(text) is { Success: true } match
        && double.TryParse(match.Groups["size"].Value.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var size)
        ? ByteSize.FromGiB(size).Bytes
        : null;

    public InferenceRequest Request()
    {
        var sequences = (int)Math.Clamp(Case.IntegerSetting("n_seq_max") ?? Case.IntegerSetting("n_seq") ?? Case.IntegerSetting("parallel") ?? 1, 1, 4096);
        return new()
        {
            Model = Model,
            // Only the cache and the scratch are asked for; the weights of a log are custom mixtures.
            Weights = new WeightSet("logged", []),
            Engine = Engine,
            Context = ContextTokens!.Value,
            KvFormat = KvFormat,
            FlashAttention = FlashAttention ?? true,
            Parallel = new(1, GpuCount, 1),
            LlamaCpp = new()
            {
                MicroBatch = (int)Math.Clamp(Case.IntegerSetting("n_ubatch") ?? (IsOllama ? OllamaMicroBatch : DefaultMicroBatch), 1, 1 << 20),
                GpuLayers = ComputesOnCpu ? 0 : OffloadedLayers,
                Slots = sequences,
                DraftDepth = (int)Math.Clamp(Case.IntegerSetting("spec_draft_n_max") ?? 0, 0, 64),
                LatentLayout = LatentLayout,
                CpuExpertLayers = (int)Math.Clamp(Case.IntegerSetting("n_cpu_moe") ?? 0, 0, 100_000),
            },
        };
    }

    private int? OffloadedLayers
    {
        get
        {
            var pair = Case.SettingElement("offloaded_layers");
            if (pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 && pair[0].TryGetInt32(out var offloaded))
                return offloaded;
            return (int?)Case.IntegerSetting("n_gpu_layers");
        }
    }

    private bool IsOllama => Case.Framework.StartsWith("ollama", StringComparison.OrdinalIgnoreCase) || string.Equals(Case.Setting("via"), "ollama", StringComparison.OrdinalIgnoreCase);

    private static bool IsRecent(MeasuredCase measured) => measured.Version.Contains("b10", StringComparison.Ordinal) || measured.Version.StartsWith("2026", StringComparison.Ordinal);

    private static ModelShape ReadModel(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var architecture = measured.Architecture;
        if (architecture.ValueKind == JsonValueKind.Object && architecture.TryGetProperty("arch", out _))
        {
            try
            {
                return ModelShapeReader.FromLlamaCppPrint(architecture, measured.Model);
            }
            catch (Exception failure) when (failure is CheckpointFormatException or UnknownArchitectureException)
            {
                throw new CaseRefusedException(failure.Message);
            }
        }
        return MemoryCases.Model(measured, findModel);
    }

    private static (KvFormat Format, LatentCacheLayout Layout) ReadCache(MeasuredCase measured, ModelShape model)
    {
        var named = CacheTypes.Matches(measured.Setting("kv_types") ?? "").ToDictionary(match => match.Groups["cache"].Value, match => match.Groups["type"].Value);
        if (named.TryGetValue("c^KV", out var compressed))
            return (new(Format(compressed), Format(named.GetValueOrDefault("kv^T", compressed))), named.ContainsKey("kv^T") ? LatentCacheLayout.CompressedWithValues : LatentCacheLayout.Compressed);
        var both = measured.Setting("kv_type") ?? "f16";
        var format = new KvFormat(Format(named.GetValueOrDefault("K", both)), Format(named.GetValueOrDefault("V", both)));
        // Files made before April 2025 state one KV head per query head, newer ones a single latent head.
        var latentHeader = model.Layers.Any(layer => layer.Attention?.Latent is not null) && MeasuredCase.Text(measured.Architecture, "n_head_kv") == "1";
        return (format, latentHeader ? (named.ContainsKey("V") ? LatentCacheLayout.CompressedWithValues : LatentCacheLayout.Compressed) : LatentCacheLayout.Expanded);
    }

    private static NumberFormat Format(string name) =>
        NumberFormats.Find(name) ?? throw new CaseRefusedException($"the cache type '{name}' is not known");

    /// <summary>Some published logs join the header of one run with the buffers of another.</summary>
    private static string? Contradiction(MeasuredCase measured, ModelShape model)
    {
        var pair = measured.SettingElement("offloaded_layers");
        if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || !pair[1].TryGetInt32(out var layers) || layers == model.Layers.Length + 1)
            return null;
        return string.Create(CultureInfo.InvariantCulture, $"the log contradicts itself: a header of {model.Layers.Length} layers, {layers} layers to offload");
    }

    private IEnumerable<(string Name, double MiB)> DeviceBuffers()
    {
        var buffers = Case.MeasuredElement("compute_by_buffer_mib");
        return buffers.ValueKind != JsonValueKind.Object
            ? []
            : buffers.EnumerateObject().Where(buffer => buffer.Value.ValueKind == JsonValueKind.Number).Select(buffer => (buffer.Name, buffer.Value.GetDouble()));
    }

    private IEnumerable<(string Name, double MiB)> WeightBuffers()
    {
        var buffers = Case.MeasuredElement("weights_by_buffer");
        return buffers.ValueKind != JsonValueKind.Array
            ? []
            : buffers.EnumerateArray()
                .Where(buffer => buffer.ValueKind == JsonValueKind.Array && buffer.GetArrayLength() == 2 && buffer[0].ValueKind == JsonValueKind.String && buffer[1].ValueKind == JsonValueKind.Number)
                .Select(buffer => (buffer[0].GetString()!, buffer[1].GetDouble()));
    }

    private static bool IsHost(string buffer) => buffer.StartsWith("CPU", StringComparison.OrdinalIgnoreCase) || buffer.EndsWith("_Host", StringComparison.OrdinalIgnoreCase);
}
