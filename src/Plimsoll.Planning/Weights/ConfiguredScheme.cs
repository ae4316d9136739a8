using System.Collections.Immutable;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights.Linear;

namespace Plimsoll.Planning.Weights;

/// <summary>The precision that a checkpoint's configuration describes: every linear layer as the lists and rules in it say, the rest in 16 bits.</summary>
public sealed class ConfiguredScheme : PrecisionScheme
{
    private readonly QuantizationConfig quantization;
    private readonly Dictionary<QuantizationScheme, LinearScheme> methods = [];

    public ConfiguredScheme(QuantizationConfig quantization) => this.quantization = quantization;

    public override string Name => quantization.PrecisionName;

    public override PrecisionFamily Family => PrecisionFamily.HuggingFace;

    public override string Summary => quantization.Describe();

    public override WeightSet Apply(ModelShape shape)
    {
        if (quantization.Schemes.IsEmpty)
            throw new PrecisionNotApplicableException($"{shape.Id} is {quantization.Describe()}, so its bytes cannot be told from the configuration; give its files, or a precision with -p.");
        var plain = LinearScheme.Plain(shape);
        var hasExperts = shape.Tensors.Any(tensor => tensor.Role == TensorRole.Expert);
        var (converted, kept) = (0, 0L);
        var tensors = shape.Tensors.Select(Store).ToImmutableArray();
        var notes = quantization.Schemes.Select(scheme => Stored(scheme).Method.Approximation).OfType<string>().Distinct().ToList();
        if (kept > 0)
            notes.Add($"{new ByteSize(kept)} of linear layers stay in 16 bits, as the configuration says.");
        if (converted == 0)
            notes.Add("The configuration converts no linear layer of this model.");
        return new(Name, tensors) { Confidence = converted == 0 ? Confidence.Low : shape.Confidence, Notes = [.. notes] };

        WeightTensor Store(TensorShape tensor)
        {
            if (LinearScheme.IsInDecoder(tensor))
            {
                if (quantization.SchemeOf(ModuleNames.Of(tensor)) is { } scheme && Stored(scheme).Convert(tensor, shape.HiddenSize, hasExperts) is { } stored)
                {
                    converted++;
                    return stored;
                }
                kept += plain.BytesFor(tensor.Elements);
            }
            return new(tensor, plain, plain.BytesFor(tensor.Elements));
        }
    }

    private LinearScheme Stored(QuantizationScheme scheme) =>
        methods.TryGetValue(scheme, out var known) ? known : methods[scheme] = StoredMethods.Of(scheme).ToScheme();
}
