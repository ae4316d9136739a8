using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>The order of the rows of query and key projections.</summary>
/// <remarks>
/// Hugging Face rotates element j of a head together with element j + d/2; llama.cpp's llama rotates neighbours, 2j with 2j + 1, as the original weights of Meta
/// do. The rows (and biases) of the projections are put in that order.
/// </remarks>
internal static class RopeOrder
{
    /// <summary>From the halves of each head to pairs: row (head, j, p) is row (head, p, j) of the source, p being 0 or 1.</summary>
    public static TensorRows HalvesToPairs(TensorRows source, int heads)
    {
        var headDim = source.Dimensions[0] / heads;
        var half = headDim / 2;
        return source.Reorder(row =>
        {
            var (head, inside) = Math.DivRem(row, headDim);
            return head * headDim + inside % 2 * half + inside / 2;
        });
    }
}
