using Plimsoll.Models;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Kv;

/// <summary>How an engine lays out the cache of multi-head latent attention.</summary>
public enum LatentCacheLayout
{
    /// <summary>One compressed row of <c>kv_lora_rank + rope_dim</c> elements per token: vLLM, SGLang, llama.cpp with files made since April 2025.</summary>
    Compressed,

    /// <summary>The compressed row, and its first <c>kv_lora_rank</c> elements once more as values: llama.cpp of 2025, ik_llama.cpp <c>-mla 1</c>.</summary>
    CompressedWithValues,

    /// <summary>Full keys and values of every head: transformers, older GGUF files, ik_llama.cpp <c>-mla 0</c>.</summary>
    Expanded,
}

/// <summary>The element formats of a KV cache.</summary>
/// <param name="Key">Format of the keys.</param>
/// <param name="Value">Format of the values.</param>
public sealed record KvFormat(NumberFormat Key, NumberFormat Value)
{
    public static KvFormat Fp16 { get; } = new(NumberFormats.Fp16, NumberFormats.Fp16);

    public override string ToString() => Key == Value ? Key.Name : $"{Key.Name}/{Value.Name}";
}

/// <summary>Bytes of cached keys and values, per layer and token. The arithmetic is exact; engines differ only in how many cells they allocate.</summary>
public static class KvCache
{
    /// <summary>Bytes that one token takes in the cache of one layer.</summary>
    /// <param name="shards">Tensor-parallel degree: heads are divided, and replicated once there are fewer heads than shards. A latent row is never divided.</param>
    /// <returns>0 for a layer that reads the cache of another layer.</returns>
    public static long BytesPerToken(AttentionShape attention, KvFormat format, LatentCacheLayout layout = LatentCacheLayout.Expanded, int shards = 1)
    {
        if (attention.SharesKeyValues)
            return 0;
        if (attention.Latent is { } latent && layout != LatentCacheLayout.Expanded)
        {
            var row = format.Key.BytesFor(latent.KeyValueRank + latent.RopeDim);
            return layout == LatentCacheLayout.Compressed ? row : row + format.Value.BytesFor(latent.KeyValueRank);
        }
        // Latent attention expands to one key and one value per query head.
        var heads = attention.Latent is null ? attention.KeyValueHeads : attention.Heads;
        heads = Math.Max(1, heads / shards);
        return checked(format.Key.BytesFor((long)heads * attention.KeyHeadDim) + format.Value.BytesFor((long)heads * attention.ValueHeadDim));
    }

    /// <summary>Bytes per token over <paramref name="layers"/>, for attention over the whole context.</summary>
    public static long BytesPerToken(IEnumerable<LayerShape> layers, KvFormat format, LatentCacheLayout layout = LatentCacheLayout.Expanded, int shards = 1) =>
        layers.Sum(layer => layer.Attention is { } attention ? BytesPerToken(attention, format, layout, shards) : 0);

    /// <summary>Bytes of the recurrent state of <paramref name="layers"/> for one sequence.</summary>
    /// <param name="bytesPerElement">4 in llama.cpp (FP32 state), 2 where the state is kept in 16 bits.</param>
    public static long StateBytes(IEnumerable<LayerShape> layers, int bytesPerElement = 4) =>
        layers.Sum(layer => layer.Recurrent is { } state ? checked((state.ConvolutionElements + state.StateElements) * bytesPerElement) : 0);
}
