using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>The facts of a Hugging Face model that its GGUF file repeats.</summary>
/// <remarks>A fact is looked for in the configuration of the language model first, then in the whole; a JSON null counts as absent.</remarks>
internal sealed class GgufModel
{
    private readonly ModelConfig whole;
    private readonly ModelConfig text;

    public GgufModel(ModelShape shape, ModelConfig config)
    {
        (Shape, whole, text) = (shape, config, config.Text);
        Rope = new RopeFacts(this);
    }

    public ModelShape Shape { get; }

    public RopeFacts Rope { get; }

    public string ConfigPath => whole.Path;

    public int Hidden => Shape.HiddenSize;

    public int Layers => Shape.Layers.Length;

    public int Heads => Attention.Heads;

    public int KeyValueHeads => Attention.KeyValueHeads;

    /// <summary>Elements of a key head, from the configuration or hidden size over heads.</summary>
    public int HeadDim => Attention.KeyHeadDim;

    public AttentionShape Attention => Shape.Layers[0].Attention ?? throw new CheckpointFormatException(ConfigPath, null, "attention in every layer", "a layer without");

    public uint? Integer(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if ((text.Integer(name) ?? whole.Integer(name)) is { } value)
                return value is >= 0 and <= uint.MaxValue ? (uint)value : throw new CheckpointFormatException(ConfigPath, null, $"{name} between 0 and {uint.MaxValue}", $"{value}");
        }
        return null;
    }

    public uint RequireInteger(params ReadOnlySpan<string> names) => Integer(names) ?? throw Missing(names);

    public float? Number(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if ((text.Number(name) ?? whole.Number(name)) is { } value)
                return (float)value;
        }
        return null;
    }

    public float RequireNumber(params ReadOnlySpan<string> names) => Number(names) ?? throw Missing(names);

    public bool? Flag(string name) => text.Boolean(name) ?? whole.Boolean(name);

    public string? Word(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if ((text.String(name) ?? whole.String(name)) is { } value)
                return value;
        }
        return null;
    }

    public ModelConfig? Object(string name) => text.Object(name) ?? whole.Object(name);

    /// <summary>The id of a token with a role, such as <c>eos_token_id</c>; the first of a list. Null when there is none.</summary>
    public int? TokenId(string name) => (text.Integers(name) ?? whole.Integers(name)) is [var id and >= 0 and <= int.MaxValue, ..] ? (int)id : null;

    public CheckpointFormatException Missing(params ReadOnlySpan<string> names) =>
        new(ConfigPath, null, $"the key {string.Join(" or ", names.ToArray().Select(name => $"\"{name}\""))}, which a GGUF file of this architecture needs", "no such key");
}
