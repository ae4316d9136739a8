using System.Runtime.InteropServices;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Models.Inspection.DataChecks;

/// <summary>AWQ files in which codes and zero points do not lie in the same order within their words.</summary>
/// <remarks>
/// AWQ packs eight outputs to a word in the order 0, 2, 4, 6, 1, 3, 5, 7. A zero point is the code of weight 0, around which the codes of its group lie: the mean
/// distance between the two is small where both are read in the right order, and larger where one of them was packed in plain order.
/// </remarks>
internal static class AwqOrderCheck
{
    public const string Name = "awq-order";

    /// <summary>The other order must fit this much better; chance does not bring that about over thousands of groups.</summary>
    private const double Margin = 0.7;

    private static readonly int[] Order = [0, 2, 4, 6, 1, 3, 5, 7];

    public static IEnumerable<InspectionProblem> Find(DataInspection data)
    {
        var wrong = data.Parameters.Where(parameter => parameter.Layout == StorageLayout.Awq && IsMixed(data, parameter)).Select(parameter => parameter.Name).ToList();
        if (wrong.Count > 0)
            yield return InspectionProblem.Error(Name, $"the zero points of {(wrong.Count == 1 ? wrong[0] : $"{wrong.Count:N0} layers, first {wrong[0]},")} do not belong to the codes beside them, but would in another order within their words: codes or zero points were packed 0 to 7 instead of 0, 2, 4, 6, 1, 3, 5, 7.", wrong);
    }

    private static bool IsMixed(DataInspection data, ParameterStorage parameter)
    {
        var (weights, zeros) = (parameter.Find("qweight")!, parameter.Find("qzeros"));
        if (zeros is null || weights.Dimensions is not [var inputs, var words] || zeros.Dimensions is not [var groups, var zeroWords] || words != zeroWords || groups == 0 || inputs % groups != 0)
            return false;
        var stored = Codes(data, zeros);
        var (row, codes) = (new byte[words * sizeof(uint)], new byte[AwqWord.Columns]);
        var sums = new long[groups * words * AwqWord.Columns];
        for (var input = 0L; input < inputs; input++)
        {
            data.Weights.Tensors.Read(weights, input * row.Length, row);
            var first = input / (inputs / groups) * words * AwqWord.Columns;
            var packed = MemoryMarshal.Cast<byte, uint>(row);
            for (var word = 0; word < packed.Length; word++)
            {
                AwqWord.Unpack(packed[word], codes);
                for (var column = 0; column < codes.Length; column++)
                    sums[first + word * AwqWord.Columns + column] += codes[column];
            }
        }
        var size = (double)(inputs / groups);
        double asStored = 0, codesPlain = 0, zerosPlain = 0;
        for (var word = 0; word < stored.Length / AwqWord.Columns; word++)
        {
            var mean = sums.AsSpan(word * AwqWord.Columns, AwqWord.Columns);
            var zero = stored.AsSpan(word * AwqWord.Columns, AwqWord.Columns);
            for (var column = 0; column < AwqWord.Columns; column++)
            {
                asStored += Math.Abs(mean[column] / size - zero[column]);
                // What unpacking took for column Order[n] is nibble n, which plain order calls column n.
                zerosPlain += Math.Abs(mean[column] / size - zero[Order[column]]);
                codesPlain += Math.Abs(mean[Order[column]] / size - zero[column]);
            }
        }
        return Math.Min(codesPlain, zerosPlain) < Margin * asStored;
    }

    private static byte[] Codes(DataInspection data, TensorHeader tensor)
    {
        var bytes = new byte[tensor.Bytes];
        data.Weights.Tensors.Read(tensor, 0, bytes);
        var words = MemoryMarshal.Cast<byte, uint>(bytes);
        var codes = new byte[words.Length * AwqWord.Columns];
        for (var word = 0; word < words.Length; word++)
            AwqWord.Unpack(words[word], codes.AsSpan(word * AwqWord.Columns, AwqWord.Columns));
        return codes;
    }
}
