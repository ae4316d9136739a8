using System.Runtime.InteropServices;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Checkpoints.Data;

/// <summary>Reads the small tensors beside the codes whole: scales, zero points, indices.</summary>
internal static class SideTensor
{
    /// <exception cref="CheckpointFormatException">It is larger than an array can be, or holds no numbers.</exception>
    public static byte[] Bytes(TensorReader reader, TensorHeader tensor)
    {
        if (tensor.Bytes > Array.MaxLength)
            throw Bad(tensor, $"at most {Array.MaxLength:N0} bytes", $"{tensor.Bytes:N0}");
        var bytes = new byte[tensor.Bytes];
        reader.Read(tensor, 0, bytes);
        return bytes;
    }

    /// <summary>As floats, whatever the element type.</summary>
    /// <inheritdoc cref="Bytes" path="/exception"/>
    public static float[] Floats(TensorReader reader, TensorHeader tensor)
    {
        if (!ElementCodec.CanDecode(tensor.Format) || tensor.Strides is not null)
            throw Bad(tensor, "plain numbers", tensor.Strides is null ? tensor.Format.Name : "a strided view");
        var bytes = Bytes(reader, tensor);
        var values = new float[bytes.Length / tensor.Format.BlockBytes];
        ElementCodec.Decode(tensor.Format, bytes, values);
        return values;
    }

    /// <summary>32-bit words.</summary>
    /// <inheritdoc cref="Bytes" path="/exception"/>
    public static uint[] Words(TensorReader reader, TensorHeader tensor)
    {
        CheckWords(tensor);
        return MemoryMarshal.Cast<byte, uint>(Bytes(reader, tensor)).ToArray();
    }

    /// <exception cref="CheckpointFormatException">The tensor does not consist of 32-bit words in row-major order.</exception>
    public static void CheckWords(TensorHeader tensor)
    {
        if (tensor.Format.BlockBytes != 4 || tensor.Format.BlockLength != 1 || tensor.Strides is not null)
            throw Bad(tensor, "32-bit words", tensor.Strides is null ? tensor.Format.Name : "a strided view");
    }

    public static CheckpointFormatException Bad(TensorHeader tensor, string expected, string found) =>
        new(tensor.File, tensor.Offset, $"{expected} in tensor '{tensor.Name}'", found);
}
