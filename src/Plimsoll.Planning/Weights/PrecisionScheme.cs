using Plimsoll.Models;

namespace Plimsoll.Planning.Weights;

/// <summary>Whose convention a precision follows; engines read one or the other.</summary>
public enum PrecisionFamily
{
    /// <summary>Every parameter in one element type: the arithmetic of the rules of thumb.</summary>
    Plain,

    /// <summary>A GGUF file type of llama.cpp, with its mixture of tensor types.</summary>
    Gguf,

    /// <summary>A quantized Hugging Face checkpoint: the linear layers converted, the rest in 16 bits.</summary>
    HuggingFace,
}

/// <summary>A rule that gives every tensor of a model its storage format and its bytes.</summary>
public abstract class PrecisionScheme
{
    /// <summary>The name as the user would type it: <c>bf16</c>, <c>gguf:q4_k_m</c>, <c>awq:4bit-g128</c>.</summary>
    public abstract string Name { get; }

    public abstract PrecisionFamily Family { get; }

    /// <summary>One sentence: what is converted and how.</summary>
    public abstract string Summary { get; }

    /// <summary>The schemes with a fixed name, and of those with parameters (<c>gptq:4bit-g128</c>) the usual ones.</summary>
    public static IReadOnlyList<PrecisionScheme> All => PrecisionNames.All;

    /// <summary>Finds a scheme by the name people type, ignoring case; null when unknown.</summary>
    public static PrecisionScheme? Find(string name) => PrecisionNames.Find(name);

    /// <summary>Up to three known names that look like <paramref name="name"/>, the closest first.</summary>
    public static IReadOnlyList<string> Suggest(string name) => PrecisionNames.Suggest(name);

    /// <summary>Why <paramref name="name"/> is refused and what to type instead, as one or two sentences.</summary>
    public static string ExplainUnknown(string name) => PrecisionNames.ExplainUnknown(name);

    /// <summary>What the weights of <paramref name="shape"/> cost in this precision.</summary>
    /// <exception cref="PrecisionNotApplicableException">The precision cannot store a tensor of this model.</exception>
    public abstract WeightSet Apply(ModelShape shape);

    public override string ToString() => Name;
}

/// <summary>A precision that cannot hold a particular model, for example a row length that no block divides.</summary>
public sealed class PrecisionNotApplicableException(string message) : Exception(message);
