namespace Plimsoll.Runtime.Weights;

/// <summary>A tensor by llama.cpp's name, which every architecture shares: <c>blk.3.attn_q.weight</c> is layer 3, <c>attn_q</c>.</summary>
/// <param name="Layer">The layer, or null outside the layers.</param>
/// <param name="Part">The name without prefix and ending: <c>attn_q</c>, <c>token_embd</c>.</param>
public readonly record struct WeightName(int? Layer, string Part)
{
    public string Ending { get; init; } = "weight";

    /// <summary>The bias beside the weight.</summary>
    public WeightName Bias => this with { Ending = "bias" };

    public string Gguf => Layer is { } layer ? $"blk.{layer}.{Part}.{Ending}" : $"{Part}.{Ending}";
}
