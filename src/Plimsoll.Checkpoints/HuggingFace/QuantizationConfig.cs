using System.Collections.Immutable;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>What a checkpoint says about its quantization, whichever tool wrote it.</summary>
/// <remarks>An unknown method keeps its name and has no scheme: nothing is guessed from keys that only look familiar.</remarks>
public sealed class QuantizationConfig
{
    /// <summary>Files of ModelOpt, AutoGPTQ and AutoAWQ, in the order they are looked for.</summary>
    internal static readonly ImmutableArray<string> OwnFiles = ["hf_quant_config.json", "quantize_config.json", "quant_config.json"];

    private readonly Dictionary<string, QuantizationScheme?> named;
    private readonly ImmutableArray<ModuleRule> rules;
    private readonly ImmutableArray<ModulePattern> only;

    internal QuantizationConfig(QuantizationDraft draft)
    {
        Path = draft.Path;
        Method = draft.Method;
        MethodName = draft.MethodName;
        Default = draft.Default;
        CheckpointFormat = draft.CheckpointFormat;
        KvCache = draft.KvCache;
        Tool = draft.Tool;
        NotConverted = [.. draft.Skips.Select(pattern => pattern.Text)];
        named = draft.Named;
        only = [.. draft.Only];
        rules = [.. draft.Skips.Select(pattern => new ModuleRule(pattern, null)), .. draft.Rules];
        Schemes = [.. new[] { Default }.Concat(named.Values).Concat(draft.Rules.Select(rule => rule.Scheme)).OfType<QuantizationScheme>().Distinct()];
    }

    /// <summary>The file it was read from, for messages.</summary>
    public string Path { get; }

    public QuantizationMethod Method { get; }

    /// <summary>The method as the file writes it; the only thing known of an unknown one.</summary>
    public string MethodName { get; }

    /// <summary>How linear layers are stored that no rule names; null when only named ones are quantized, or the method is unknown.</summary>
    public QuantizationScheme? Default { get; }

    /// <summary>Every scheme in use, the default first. More than one: mixed precision.</summary>
    public ImmutableArray<QuantizationScheme> Schemes { get; }

    /// <summary>The entries, as written, of modules that keep their precision; the method's own default where the file gives none.</summary>
    public ImmutableArray<string> NotConverted { get; }

    /// <summary>The layout on disk where a method has several: <c>gptq_v2</c>, <c>pack-quantized</c>, <c>gemm</c>.</summary>
    public string? CheckpointFormat { get; }

    /// <summary>The format of the KV cache that the checkpoint brings scales for, such as <c>fp8</c>; null when it keeps the model's.</summary>
    public string? KvCache { get; }

    /// <summary>The program that wrote it, where it says so.</summary>
    public string? Tool { get; }

    /// <summary>The precision as the user types it; several joined by <c>+</c> when mixed, <c>unknown</c> when nothing is known.</summary>
    public string PrecisionName => Schemes.Length == 0 ? "unknown" : string.Join('+', Schemes.Select(scheme => scheme.PrecisionName).Distinct());

    /// <summary>Finds the quantization of a model; null when it is stored in plain numbers.</summary>
    /// <exception cref="CheckpointFormatException">A value has the wrong type or makes no sense.</exception>
    public static QuantizationConfig? Find(ModelConfig config) => QuantizationReader.Find(config);

    /// <summary>Reads a file of its own: <c>hf_quant_config.json</c> (ModelOpt), <c>quantize_config.json</c> (AutoGPTQ), <c>quant_config.json</c> (AutoAWQ).</summary>
    /// <inheritdoc cref="Find"/>
    public static QuantizationConfig? Parse(string path, ReadOnlyMemory<byte> json) => QuantizationReader.FindInOwnFile(ModelConfig.Parse(path, json));

    /// <summary>Finds the quantization of a model on disk: in its configuration, else in a file of its own beside it; null for plain weights.</summary>
    /// <inheritdoc cref="Find"/>
    public static QuantizationConfig? FindIn(string folder, ModelConfig? config)
    {
        if (config is not null && Find(config) is { } found)
            return found;
        foreach (var name in OwnFiles)
        {
            var path = System.IO.Path.Combine(folder, name);
            if (File.Exists(path) && Parse(path, SmallFile.Read(path, HubLimits.MaxConfigBytes)) is { } own)
                return own;
        }
        return null;
    }

    /// <summary>How the linear layer with this name (<c>model.layers.0.mlp.down_proj</c>) is stored; null when it keeps its precision.</summary>
    /// <remarks>Ask for linear layers only: norms, biases and embeddings are never converted and no list says so.</remarks>
    /// <exception cref="CheckpointFormatException">A pattern in the file is no regular expression.</exception>
    public QuantizationScheme? SchemeOf(string module) => SchemeOf([module]);

    /// <summary>The same for a module that lists of several tools name differently: what any of the names is listed under goes before the default.</summary>
    /// <inheritdoc cref="SchemeOf(string)"/>
    public QuantizationScheme? SchemeOf(ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (TryFindNamed(name, out var scheme))
                return scheme;
        }
        foreach (var rule in rules)
        {
            if (MatchesAny(rule.Pattern, names))
                return rule.Scheme;
        }
        foreach (var pattern in only)
        {
            if (MatchesAny(pattern, names))
                return Default;
        }
        return only.IsEmpty ? Default : null;
    }

    private static bool MatchesAny(ModulePattern pattern, ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (pattern.Matches(name))
                return true;
        }
        return false;
    }

    private bool TryFindNamed(string module, out QuantizationScheme? scheme)
    {
        for (var name = module; ; name = name[..name.LastIndexOf('.')])
        {
            if (named.TryGetValue(name, out scheme))
                return true;
            if (!name.Contains('.'))
                return false;
        }
    }

    /// <summary>A sentence for people: <c>GPTQ 4-bit, group 128, symmetric, act-order</c>.</summary>
    public string Describe()
    {
        var text = Schemes switch
        {
            [] => Method == QuantizationMethod.Unknown
                ? $"quantized by an unknown method \"{MethodName}\""
                : $"{QuantizationMethods.Display(Method)} in a variant that is not known ({MethodName})",
            [var scheme] => scheme.Describe(),
            _ => "mixed: " + string.Join(" + ", Schemes.Select(scheme => scheme.Describe())),
        };
        return KvCache is { } cache ? $"{text}; KV cache {cache.ToUpperInvariant()}" : text;
    }
}

/// <summary>Modules that a pattern names have a scheme of their own, or none.</summary>
internal readonly record struct ModuleRule(ModulePattern Pattern, QuantizationScheme? Scheme);

/// <summary>What a reader of one method fills in.</summary>
internal sealed class QuantizationDraft(ModelConfig section, QuantizationMethod method, string methodName)
{
    public ModelConfig Section { get; } = section;

    public string Path => Section.Path;

    public QuantizationMethod Method { get; set; } = method;

    public string MethodName { get; } = methodName;

    public QuantizationScheme? Default { get; set; }

    /// <summary>Schemes by module name; they go before every list.</summary>
    public Dictionary<string, QuantizationScheme?> Named { get; } = [];

    public List<ModulePattern> Skips { get; } = [];

    public List<ModuleRule> Rules { get; } = [];

    /// <summary>When not empty, nothing else is quantized.</summary>
    public List<ModulePattern> Only { get; } = [];

    public string? CheckpointFormat { get; set; }

    public string? KvCache { get; set; }

    public string? Tool { get; set; }

    public ModulePattern Pattern(ModulePatternKind kind, string text) => new(Path, kind, text);

    /// <summary>Takes a list of modules to leave alone; the given default where the file has none.</summary>
    public void SkipListed(ModulePatternKind kind, string key, params ReadOnlySpan<string> defaults)
    {
        var listed = Section.Strings(key);
        foreach (var text in listed ?? [.. defaults])
            Skips.Add(Pattern(kind, text));
    }
}
