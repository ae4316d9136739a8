using Plimsoll.Models;

namespace Plimsoll.Planning.Weights;

/// <summary>A tensor seen as equal matrices (out_features, in_features): one for a linear layer, one per expert for experts.</summary>
/// <param name="Out">Output features of one matrix.</param>
/// <param name="In">Input features of one matrix: the dimension that groups and blocks run along.</param>
/// <param name="Count">How many such matrices.</param>
internal readonly record struct LinearStack(long Out, long In, long Count)
{
    /// <summary>The matrices of <paramref name="tensor"/>; null for vectors, biases and convolutions.</summary>
    /// <remarks>Experts fused into one tensor lie as (out, in), or as (in, out) in Llama 4 and gpt-oss; the hidden size tells which.</remarks>
    public static LinearStack? Of(TensorShape tensor, long hiddenSize)
    {
        var dimensions = tensor.Dimensions;
        if (tensor.Name.EndsWith("bias", StringComparison.Ordinal) || dimensions.Length < 2 || (dimensions.Length > 2 && !IsExpert(tensor)))
            return null;
        var (outputs, inputs) = (dimensions[^2], dimensions[^1]);
        var count = dimensions[..^2].Aggregate((long)tensor.Count, (product, size) => checked(product * size));
        var hiddenIsOutput = IsDown(tensor.Name);
        var transposed = IsExpert(tensor) && (hiddenIsOutput
            ? inputs == hiddenSize && outputs != hiddenSize
            : outputs == hiddenSize && inputs != hiddenSize);
        return transposed ? new(inputs, outputs, count) : new(outputs, inputs, count);
    }

    private static bool IsExpert(TensorShape tensor) => tensor.Name.Contains("expert", StringComparison.Ordinal) || tensor.Role == TensorRole.Expert;

    private static bool IsDown(string name) =>
        name.Contains("down_proj", StringComparison.Ordinal) || name.Contains("output_linear", StringComparison.Ordinal)
        || name.EndsWith(".w2.weight", StringComparison.Ordinal) || name.EndsWith(".fc2.weight", StringComparison.Ordinal);
}
