using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Planning.Weights;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Calibration.Sequential;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Gguf.Architectures;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Gives every tensor a type and a place: from the content of a GGUF file to the plan of its files.</summary>
internal sealed class GgufPlanner(GgufContent content, GgufRecipe recipe)
{
    private readonly List<string> notes = [.. content.Notes];
    private readonly List<string> unscaled = [];
    private int transcoded;

    public OutputPlan Plan()
    {
        var types = Types();
        var jobs = content.Tensors.Zip(types, Jobs).SelectMany(jobs => jobs).ToImmutableArray();
        if (unscaled.Count > 0)
            notes.Add($"llama.cpp multiplies no scale into {unscaled[0]}{(unscaled.Count > 1 ? $" and {unscaled.Count - 1} others" : "")}: there NVFP4 has the few digits of its blocks' scales alone.");
        if (transcoded > 0)
            notes.Add($"{transcoded} tensors take over the codes and scales of the source: none of their weights changes.");
        return new(IsFolder: false, GgufFiles.Split(recipe.FileName, content.Keys, jobs, recipe.SplitBytes), [], [.. notes]);
    }

    private NumberFormat[] Types()
    {
        var mix = new GgufMix(recipe.FileType, content.Facts, new()
        {
            HasImatrix = recipe.Importance is not null || recipe.Sequential is not null,
            Pure = recipe.Pure,
            OutputType = recipe.OutputType,
            EmbeddingType = recipe.EmbeddingType,
            TypeOf = name => recipe.Allocated?.GetValueOrDefault(name) ?? recipe.Overrides.FirstOrDefault(each => each.Pattern.IsMatch(name))?.Type,
        });
        try
        {
            var types = mix.Assign([.. content.Tensors.Select(source => source.Tensor)]);
            foreach (var group in mix.Fallbacks.GroupBy(fallback => (fallback.Wanted, fallback.Taken, fallback.Tensor.RowLength)))
            {
                notes.Add($"Rows of {group.Key.RowLength} are no whole blocks of {Show(group.Key.Wanted)} ({group.Key.Wanted.BlockLength}): {Show(group.Key.Taken)} is taken for {Names(group)}.");
            }
            foreach (var unused in recipe.Overrides.Where(each => !content.Tensors.Any(source => source.Tensor.AllowsQuantization && each.Pattern.IsMatch(source.Tensor.Name))))
                throw new QuantizationRefusedException($"no tensor that can be quantized has a name in which '{unused.Pattern}' is found; names are like {Example()}.");
            return [.. content.Tensors.Zip(types, (source, type) => Keeps(source.Tensor) ? source.Sources[0].Storage.Main.Format : type)];
        }
        catch (PrecisionNotApplicableException refusal)
        {
            throw new QuantizationRefusedException(refusal.Message);
        }
    }

    private static string Names(IEnumerable<GgufFallback> fallbacks) =>
        fallbacks.Select(fallback => fallback.Tensor.Name).ToList() is [var first, _, ..] several ? $"{several.Count} tensors, the first of them {first}" : fallbacks.First().Tensor.Name;

    /// <summary><c>llama-quantize</c> leaves the type of what it may not quantize.</summary>
    private bool Keeps(GgufTensor tensor) => content.Stored is not null && !tensor.AllowsQuantization;

    private string Example() => content.Tensors.First(source => source.Tensor.AllowsQuantization).Tensor.Name;

    private IEnumerable<WeightJob> Jobs(GgufSource source, NumberFormat type)
    {
        if (content.Stored is not { } stored || source.Sources[0].Storage.Main.Format != type)
            return [Job(source, type)];
        // What lies beside the blocks (the scale of NVFP4) goes along.
        var storage = source.Sources[0].Storage;
        return storage.Parts.Select(part => new CopyJob(part.Header == storage.Main ? source.Sources[0] : stored.Open(part.Header), part.Header, stored.Tensors));
    }

    private WeightJob Job(GgufSource source, NumberFormat type)
    {
        var output = OutputTensor.Create(source.Tensor.Name, type, source.Rows.Dimensions);
        if (GgufTranscodeJob.Create(output, source) is { } transcode)
        {
            transcoded++;
            return transcode;
        }
        var codec = type.BlockLength == 1 ? null : BlockCodecs.Find(type) ?? throw new QuantizationRefusedException($"{Show(type)} cannot be encoded; {output.Name} would have that type.");
        if (codec is not null)
            RefuseRequantizing(source, type);
        if (codec is not null && recipe.Sequential is { } calibration && SequentialCalibration.Takes(source.Tensor))
        {
            calibration.Add(source);
            return new SequentialTensorJob(output, source, codec, recipe.Search, calibration);
        }
        var importance = codec is null ? default : Importance(source.Tensor, type, codec);
        if (codec is not null && type.Name == "NVFP4_GGML")
        {
            if (TakesScale(source.Tensor))
                return new GgufScaledJob(output, source, codec, importance, recipe.Search);
            unscaled.Add(output.Name);
        }
        return new GgufTensorJob(output, source, codec, importance, recipe.Search, codec is IBlockGrid grid ? Feedback(source.Tensor, codec, grid) : default);
    }

    private ImmutableArray<FeedbackEncoder?> Feedback(GgufTensor tensor, BlockCodec codec, IBlockGrid grid)
    {
        // Rows of an embedding are looked up, not multiplied, also where the output head is tied to it.
        if (recipe.Feedback?.GetValueOrDefault(tensor.Name) is not { IsDefault: false } factors || tensor.Category == GgufCategory.TokenEmbedding)
            return default;
        if (factors.Count(factor => factor is null) is > 0 and var missing)
            notes.Add($"{missing} of {factors.Length} matrices of {tensor.Name} are rounded to nearest: no text met them, or what they met cannot be inverted.");
        return [.. factors.Select(factor => factor is null ? null : new FeedbackEncoder(factor, codec, grid))];
    }

    /// <summary>llama.cpp adds the bias of a feed-forward part before it would multiply the scale.</summary>
    private bool TakesScale(GgufTensor tensor) => GgufArchitectures.OfGguf(content.Architecture)?.AppliesScale(tensor) == true
        && (tensor.Category is not (GgufCategory.FeedForwardUp or GgufCategory.FeedForwardGate or GgufCategory.FeedForwardDown)
            || content.Tensors.All(other => other.Tensor.Name != tensor.Name[..^"weight".Length] + "bias"));

    private void RefuseRequantizing(GgufSource source, NumberFormat type)
    {
        if (recipe.AllowRequantize || source.Sources.FirstOrDefault(weight => weight.Storage.IsQuantized || weight.Storage.Main.Format.Kind == NumberFormatKind.Block) is not { } quantized)
            return;
        throw new QuantizationRefusedException($"{quantized.Name} is quantized already ({quantized.Storage.TypeName}); to {Show(type)} it would lose a second time. "
            + "Take the original checkpoint, or allow it with --requantize.");
    }

    private ReadOnlyMemory<float> Importance(GgufTensor tensor, NumberFormat type, BlockCodec codec)
    {
        if (codec.Importance == ImportanceUse.Ignored && recipe.Search == BlockSearch.Exact)
            return default;
        if (recipe.Importance is { } matrix && matrix.Columns.TryGetValue(tensor.Name, out var columns))
        {
            if (columns.Length == tensor.RowLength * tensor.Matrices)
                return Finite(columns, tensor, matrix);
            // Matrices of other programs have the embedding of another vocabulary.
            if (tensor.Category != GgufCategory.TokenEmbedding)
                throw new QuantizationRefusedException($"the importance matrix {matrix.File} has {columns.Length} numbers for {tensor.Name}, which has {tensor.RowLength * tensor.Matrices} columns: it is of another model.");
        }
        if (codec.Importance == ImportanceUse.Required || NeedsImportance(tensor, type))
        {
            throw new QuantizationRefusedException(recipe.Importance is null
                ? $"{Show(type)} needs an importance matrix, and {tensor.Name} would have that type; give one with --imatrix."
                : $"{Show(type)} needs an importance matrix, and {recipe.Importance.File} has none for {tensor.Name}; give that tensor another type with --tensor-type.");
        }
        return default;
    }

    private static ReadOnlyMemory<float> Finite(ReadOnlyMemory<float> columns, GgufTensor tensor, GgufImportance matrix)
    {
        foreach (var value in columns.Span)
        {
            if (!float.IsFinite(value))
                throw new QuantizationRefusedException($"the importance matrix {matrix.File} has {value} for {tensor.Name}; it is damaged, make it again.");
        }
        return columns;
    }

    /// <summary>Source: llama.cpp src/llama-quant.cpp (tensor_requires_imatrix).</summary>
    private bool NeedsImportance(GgufTensor tensor, NumberFormat type) => tensor.Category is not (GgufCategory.TokenEmbedding or GgufCategory.Output)
        && (type.Name is "IQ3_XXS" or "IQ2_XXS" or "IQ2_XS" or "IQ2_S" or "IQ1_M" or "IQ1_S" || (type.Name == "Q2_K" && recipe.FileType.Name == "q2_k_s"));

    private static string Show(NumberFormat type) => type.Name switch
    {
        "NVFP4_GGML" => "NVFP4",
        "FP16" => "F16",
        "FP32" => "F32",
        var name => name,
    };
}
