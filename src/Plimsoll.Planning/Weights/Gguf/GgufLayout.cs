using System.Collections.Immutable;
using Plimsoll.Models;

namespace Plimsoll.Planning.Weights.Gguf;

/// <summary>The tensors of the GGUF file that llama.cpp's converter writes for a model.</summary>
/// <remarks>
/// Experts are stacked into one tensor per layer, fused projections split where the converter splits them, vision towers left out (they go to a
/// separate projector file), next-token-prediction layers kept except where the converter drops them.
/// </remarks>
public sealed record GgufLayout(ImmutableArray<GgufTensor> Tensors, GgufMixFacts Facts, ImmutableArray<string> Notes)
{
    /// <summary>Architectures whose next-token-prediction layers the converter leaves out. Source: llama.cpp conversion/deepseek.py (skip_mtp) and others.</summary>
    private static readonly string[] DropsNextToken = ["deepseek_v2", "deepseek_v3", "deepseek_v4", "kimi_k2", "kimi_k25", "longcat_flash", "mimo", "minimax_m2"];

    /// <summary>Architectures that llama.cpp's converter does not take. Source: llama.cpp conversion/, release bundle of November 2026.</summary>
    private static readonly string[] NotInLlamaCpp = ["gpt_neo", "gptj", "opt", "codegen"];

    public static GgufLayout Of(ModelShape shape)
    {
        var dropNextToken = DropsNextToken.Contains(shape.Architecture);
        var kept = shape.Tensors.Where(tensor => tensor.Role != TensorRole.Tower && !(dropNextToken && tensor.Role == TensorRole.NextToken)).ToList();
        var tensors = Merge(kept.SelectMany(tensor => Convert(tensor, shape)).Concat(RopeFactors(shape)));
        return new([.. tensors], FactsOf(shape, tensors), [.. NotesOf(shape, dropNextToken)]);
    }

    /// <summary>The tensors of a file as they are: what <c>llama-quantize</c> makes of a GGUF file.</summary>
    /// <param name="shape">The shape that was read from it.</param>
    public static GgufLayout OfFile(ModelShape shape)
    {
        var tensors = shape.Tensors.Select(OfFile).ToList();
        tensors.Sort(Compare);
        return new([.. tensors], FactsOf(shape, tensors), []);
    }

    private static GgufTensor OfFile(TensorShape tensor)
    {
        ImmutableArray<long> dimensions = tensor.Count > 1 ? [tensor.Count, .. tensor.Dimensions] : tensor.Dimensions;
        var rowLength = dimensions.IsEmpty ? 1 : dimensions[^1];
        // ggml counts dimensions up to the last that is above 1.
        var rank = dimensions.Length - dimensions.TakeWhile(size => size == 1).Count();
        return new(tensor.Name, tensor, rowLength, tensor.Elements / rowLength, Math.Max(1, rank), dimensions.Length > 2 ? dimensions[..^2].Aggregate(1L, (product, size) => product * size) : 1);
    }

    /// <summary>llama.cpp visits tensors by layer, then by name.</summary>
    private static int Compare(GgufTensor left, GgufTensor right) =>
        left.Layer != right.Layer ? left.Layer.CompareTo(right.Layer) : string.CompareOrdinal(left.Name, right.Name);

    /// <summary>Sorts, and makes one tensor of the norms that StableLM 2 has for each head: (heads, head_dim).</summary>
    private static List<GgufTensor> Merge(IEnumerable<GgufTensor> tensors)
    {
        var all = tensors.ToLookup(IsHeadNorm);
        List<GgufTensor> merged = [.. all[false], .. all[true].GroupBy(tensor => tensor.Name, StringComparer.Ordinal).Select(heads => Stacked([.. heads]))];
        merged.Sort(Compare);
        return merged;
    }

    private static bool IsHeadNorm(GgufTensor tensor) => tensor.Source.Name.Contains("layernorm.norms.", StringComparison.Ordinal);

    private static GgufTensor Stacked(GgufTensor[] heads) =>
        heads[0] with { Rows = heads.Length, Rank = 2, Source = heads[0].Source with { Dimensions = [heads.Length, .. heads[0].Source.Dimensions] } };

    private static IEnumerable<string> NotesOf(ModelShape shape, bool dropNextToken)
    {
        if (NotInLlamaCpp.Contains(shape.Architecture))
            yield return $"llama.cpp does not convert {shape.Architecture} models; the size is what its rules would give.";
        if (shape.Tensors.Any(tensor => tensor.Role == TensorRole.Tower))
            yield return "The vision or audio tower is not in a GGUF model file; llama.cpp loads it from a separate mmproj file.";
        if (dropNextToken && shape.Tensors.Any(tensor => tensor.Role == TensorRole.NextToken))
            yield return "The next-token-prediction layers are left out, as llama.cpp's converter does for this architecture.";
    }

    private static GgufMixFacts FactsOf(ModelShape shape, List<GgufTensor> tensors) => new(
        Layers: Math.Max(shape.Layers.Length, tensors.Max(tensor => tensor.Layer) + 1),
        Experts: shape.Layers.Max(layer => layer.FeedForward?.Experts?.Count ?? 0),
        HeadsPerKeyValueHead: HeadsPerKeyValueHead(shape),
        Falcon: shape.Architecture is "falcon" or "RefinedWeb" or "RefinedWebModel",
        Is70B: Is70B(shape));

    /// <summary>llama.cpp reads the head counts of layer 0; multi-head latent attention is stored as one key-value head.</summary>
    private static int HeadsPerKeyValueHead(ModelShape shape)
    {
        var first = shape.Layers[0].Attention;
        // These store one number for all layers instead of a list with zeros for the recurrent ones.
        if (first is null && shape.Architecture.StartsWith("qwen", StringComparison.Ordinal))
            first = shape.Layers.Select(layer => layer.Attention).FirstOrDefault(attention => attention is not null);
        if (first is null || first.KeyValueHeads == 0)
            return 0;
        return first.Latent is null ? first.Heads / first.KeyValueHeads : first.Heads;
    }

    /// <summary>80 layers make a 70B model in llama.cpp's eyes. Source: src/models/llama.cpp, qwen2.cpp, olmo.cpp, deci.cpp.</summary>
    private static bool Is70B(ModelShape shape)
    {
        if (shape.Layers.Length != 80 || shape.Layers[0].Attention is not { } attention)
            return false;
        return shape.Architecture switch
        {
            "llama" or "mistral" or "mixtral" => attention.Heads != attention.KeyValueHeads,
            "qwen2" or "olmo" or "nemotron-nas" or "deci" => true,
            _ => false,
        };
    }

    private static IEnumerable<GgufTensor> Convert(TensorShape tensor, ModelShape shape)
    {
        // The converter's names of encoder-decoder models are not needed for their size.
        var names = shape.Architecture is "t5" or "mt5" or "umt5" || tensor.Name.StartsWith("blk.", StringComparison.Ordinal) || tensor.Name is "token_embd.weight" or "output.weight" or "output_norm.weight"
            ? [tensor.Name]
            : GgufNames.Of(tensor, shape.Architecture);
        var prefix = GgufNames.LayerOf(tensor, shape.Layers.Length) is { } layer && !names[0].StartsWith("blk.", StringComparison.Ordinal) ? $"blk.{layer}." : "";
        if (LinearStack.Of(tensor, shape.HiddenSize) is not { } stack)
            return names.Length == 1 ? [Plain(prefix + names[0], tensor)] : names.Select(name => Plain(prefix + name, tensor with { Dimensions = [tensor.Dimensions[^1] / names.Length] }));
        // The Conv1D layers of GPT-2 are (in_features, out_features).
        if (shape.Architecture == "gpt2" && tensor.IsLinear)
            stack = new(stack.In, stack.Out, stack.Count);
        if (names.Length == 1)
            return [Matrix(prefix + names[0], tensor, stack)];
        return Parts(tensor, stack, shape, names.Length).Zip(names, (part, name) => Matrix(prefix + name, part.Tensor, part.Stack));
    }

    /// <summary>The row blocks into which the converter cuts a fused matrix.</summary>
    private static IEnumerable<(TensorShape Tensor, LinearStack Stack)> Parts(TensorShape tensor, LinearStack stack, ModelShape shape, int parts)
    {
        var attention = tensor.Layer is { } layer ? shape.Layers[layer].Attention : shape.Layers.Select(each => each.Attention).FirstOrDefault(each => each is not null);
        if (attention?.Latent is { } latent && tensor.Name.Contains("kv_b_proj", StringComparison.Ordinal))
        {
            var keyRows = stack.Out / attention.Heads - attention.ValueHeadDim;
            // The key half is stored transposed: rows of the head's no-rope key dimension.
            return [
                (Piece(tensor, keyRows * attention.Heads, stack.In), new(latent.KeyValueRank, keyRows, attention.Heads)),
                (Piece(tensor, (long)attention.ValueHeadDim * attention.Heads, stack.In), new(attention.ValueHeadDim, latent.KeyValueRank, attention.Heads))];
        }
        long[] rows = parts switch
        {
            3 when attention is not null => [(long)attention.Heads * attention.KeyHeadDim, (long)attention.KeyValueHeads * attention.KeyHeadDim, (long)attention.KeyValueHeads * attention.ValueHeadDim],
            _ when tensor.Name.Contains("in_proj_qkvz", StringComparison.Ordinal) && tensor.Layer is { } at => GatedDeltaRows(shape, at, stack),
            _ => [.. Enumerable.Repeat(stack.Out / parts, parts)],
        };
        return rows.Select(count => (Piece(tensor, count, stack.In), stack with { Out = count }));
    }

    /// <summary>q, k, v go to attn_qkv and z to attn_gate; z is as wide as v, which is the input of out_proj.</summary>
    private static long[] GatedDeltaRows(ModelShape shape, int layer, LinearStack stack)
    {
        var output = shape.Tensors.FirstOrDefault(tensor => tensor.Layer == layer && tensor.Name.EndsWith("linear_attn.out_proj.weight", StringComparison.Ordinal));
        var z = output?.Dimensions[1] ?? stack.Out / 2;
        return [stack.Out - z, z];
    }

    private static TensorShape Piece(TensorShape tensor, long rows, long columns) => tensor with { Dimensions = [rows, columns] };

    private static GgufTensor Matrix(string name, TensorShape tensor, LinearStack stack) => new(
        name,
        tensor,
        RowLength: stack.In,
        Rows: checked(stack.Out * stack.Count),
        Rank: stack.Count > 1 ? 3 : stack.Out > 1 ? 2 : 1,
        Matrices: stack.Count);

    /// <summary>Vectors, biases and convolutions: one row each, FP32 unless it has two real dimensions and is called a weight.</summary>
    private static GgufTensor Plain(string name, TensorShape tensor)
    {
        var real = tensor.Dimensions.Where(size => size > 1).ToArray();
        var rowLength = real.Length == 0 ? 1 : real[^1];
        return new(name, tensor, rowLength, tensor.Elements / rowLength, real.Length + (tensor.Count > 1 ? 1 : 0), 1);
    }

    /// <summary>Llama 3.1 and later carry their rope scaling as one FP32 factor per pair of head dimensions.</summary>
    /// <remarks>Those models are known by their context of 131072 over the 128256-token vocabulary. Source: llama.cpp conversion/llama.py (generate_extra_tensors).</remarks>
    private static IEnumerable<GgufTensor> RopeFactors(ModelShape shape)
    {
        if (shape is not { Architecture: "llama", VocabularySize: 128256, MaxContext: 131072 } || shape.Layers[0].Attention is not { } attention)
            yield break;
        var tensor = new TensorShape { Name = "rope_freqs.weight", Dimensions = [attention.KeyHeadDim / 2], Role = TensorRole.Other };
        yield return new("rope_freqs.weight", tensor, attention.KeyHeadDim / 2, 1, 1, 1);
    }
}
