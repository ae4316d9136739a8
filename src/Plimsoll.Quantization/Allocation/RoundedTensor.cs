using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Linear;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Allocation;

/// <summary>A running model in which one tensor is rounded to a type, until this is disposed.</summary>
/// <remarks>The rounded weights are multiplied as FP16, so that nothing but the rounding changes: matrices in block formats would round the activations too.</remarks>
internal sealed class RoundedTensor : IDisposable
{
    private readonly List<IDisposable> substitutions = [];

    public RoundedTensor(TransformerModel model, GgufSource source, NumberFormat type, ReadOnlyMemory<float> importance, int threads)
    {
        for (var index = 0; index < source.Sources.Length; index++)
        {
            // Experts lie in tensors of their own, or in one.
            var first = index;
            substitutions.Add(model.Substitute(source.Sources[index].Name, (matrix, expert) =>
                Round(matrix, type, Columns(importance, matrix.Columns, source.Sources.Length > 1 ? first : expert), threads)));
        }
    }

    public void Dispose() => substitutions.ForEach(substitution => substitution.Dispose());

    private static ReadOnlyMemory<float> Columns(ReadOnlyMemory<float> importance, int columns, int matrix) =>
        importance.Length >= (matrix + 1) * columns ? importance.Slice(matrix * columns, columns) : default;

    private static PackedMatrix Round(PackedMatrix matrix, NumberFormat type, ReadOnlyMemory<float> importance, int threads)
    {
        var (rows, columns) = (matrix.Rows, matrix.Columns);
        var rounded = new Half[checked(rows * columns)];
        Parallel.For(0, rows, new() { MaxDegreeOfParallelism = threads }, () => (Values: new float[columns], Decoded: new float[columns]), (row, _, buffers) =>
        {
            matrix.ReadRow(row, buffers.Values);
            TensorErrors.Round(type, buffers.Values, columns, importance.Span, buffers.Decoded);
            ElementCodec.Encode(NumberFormats.Fp16, buffers.Decoded, MemoryMarshal.AsBytes(rounded.AsSpan(row * columns, columns)));
            return buffers;
        }, _ => { });
        return PackedMatrices.Create(NumberFormats.Fp16, rows, columns, (firstRow, bytes) =>
            MemoryMarshal.AsBytes(rounded.AsSpan(firstRow * columns, bytes.Length / sizeof(ushort))).CopyTo(bytes));
    }
}
