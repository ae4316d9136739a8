using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>What an architecture is given to write itself: its configuration, where to write, and the names of the surrounding checkpoint.</summary>
/// <param name="ModelType">The model type of <paramref name="Config"/>.</param>
internal sealed record ArchitectureContext(string ModelType, ConfigReader Config, ShapeBuilder Builder)
{
    /// <summary>What the trunk is called inside a multimodal checkpoint; null when the family's own prefix holds.</summary>
    public string? TrunkPrefix { get; init; }

    /// <summary>What the output head is called inside a multimodal checkpoint; null when the family's own name holds.</summary>
    public string? HeadName { get; init; }

    /// <summary>The outermost configuration, where multimodal checkpoints keep <c>tie_word_embeddings</c> and the like.</summary>
    public ConfigReader? Outer { get; init; }

    public string Trunk(string own = "model.") => TrunkPrefix ?? own;

    public string Head(string own = "lm_head") => HeadName ?? own;

    /// <summary>Reads the facts; the outer configuration decides about tying when the inner one is silent.</summary>
    public DecoderFacts Facts(bool tied = false, int? feedForward = null) =>
        DecoderFacts.Read(Config, Outer?.Flag("tie_word_embeddings", tied) ?? tied, feedForward);

    public DecoderFacts Write(DecoderFacts facts, DecoderStyle style, string trunk = "model.")
    {
        Decoder.Write(Builder, facts, style, Trunk(trunk), Head(style.Head));
        return facts;
    }
}

/// <summary>Writes one architecture and returns the facts it read.</summary>
internal delegate DecoderFacts WriteArchitecture(ArchitectureContext context);
