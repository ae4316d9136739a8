using System.Collections.Immutable;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Rounding;

/// <summary>What a format makes of the parameters of a model, one by one.</summary>
public static class ModelRounding
{
    /// <param name="plan">How the model would be written.</param>
    /// <returns>By the names of the source's parameters.</returns>
    /// <exception cref="QuantizationRefusedException">The format rounds a weight by what is outside of its rows, or not at all.</exception>
    public static ImmutableDictionary<string, TensorRounding> Of(OutputPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var roundings = ImmutableDictionary.CreateBuilder<string, TensorRounding>(StringComparer.Ordinal);
        foreach (var job in plan.Files.SelectMany(file => file.Jobs))
        {
            var sources = job.Sources.ToList();
            // Some tensors are computed from the configuration alone.
            if (sources.Count == 0)
                continue;
            if (job.NeedsObservation || sources.Count > 1)
                throw new QuantizationRefusedException($"{job.TypeName} gives {job.Name} scales that its rows share; formats are trained with whose scales belong to one row, such as gguf:q4_0, gguf:q2_k, gptq:4bit-g128, ct:w4a16-g128");
            roundings.Add(sources[0].Name, new(job));
        }
        if (roundings.Values.All(rounding => rounding.PlainType is not null))
            throw new QuantizationRefusedException("the format quantizes nothing in this model; --method full trains plain numbers");
        return roundings.ToImmutable();
    }
}
