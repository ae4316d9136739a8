using System.Text.Json;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Models.Catalog;

/// <summary>One known model: its names, where its facts come from, and its configuration, parsed on demand.</summary>
public sealed class ModelCatalogEntry
{
    private readonly string path;
    private readonly ReadOnlyMemory<byte> configuration;
    private ModelConfig? config;
    private ModelShape? shape;

    internal ModelCatalogEntry(string id, IReadOnlyList<string> aliases, string factSource, string path, ReadOnlyMemory<byte> configuration, string? precision)
    {
        Precision = precision;
        Id = id;
        Aliases = aliases;
        FactSource = factSource;
        this.path = path;
        this.configuration = configuration;
    }

    /// <summary>The name on the Hugging Face hub, such as <c>meta-llama/Llama-3.1-8B</c>.</summary>
    public string Id { get; }

    public IReadOnlyList<string> Aliases { get; }

    /// <summary>Where the configuration values were read.</summary>
    public string FactSource { get; }

    /// <summary>The precision of the published weights where all linear layers have the same (<c>fp8:block128</c>, <c>mxfp4</c>); null for others and for plain ones.</summary>
    public string? Precision { get; }

    /// <summary>How the published weights are quantized where layers differ; else null.</summary>
    public QuantizationConfig? Quantization => QuantizationConfig.Find(Config);

    /// <summary>The id without its owner.</summary>
    public string ShortName => Id[(Id.LastIndexOf('/') + 1)..];

    /// <summary>A <c>config.json</c> reduced to what the shape depends on.</summary>
    public ModelConfig Config => config ??= ModelConfig.Parse($"{path}, {Id}", configuration);

    /// <summary>The model type of the configuration.</summary>
    public string Architecture => Config.Root.TryGetProperty("model_type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString()! : "";

    /// <summary>The shape, built on first use.</summary>
    public ModelShape Shape => shape ??= ModelShapeReader.FromConfig(Config, Id, "catalog");

    internal IEnumerable<string> Names => [Id, .. Aliases];
}
