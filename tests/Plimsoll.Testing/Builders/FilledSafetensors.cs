using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Plimsoll.Testing.Builders;

/// <summary>Writes safetensors files with numbers in them: reproducible, bell-shaped around zero, no row empty.</summary>
public static class FilledSafetensors
{
    /// <param name="change">Writes other bytes over those of a tensor.</param>
    public static byte[] File(IEnumerable<StoredTensor> tensors, string? metadata = null, Action<StoredTensor, Span<byte>>? change = null)
    {
        List<StoredTensor> list = [.. tensors];
        var file = SafetensorsBuilder.File(list, metadata);
        var random = new Random(11);
        var at = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        foreach (var tensor in list)
        {
            var bytes = file.AsSpan(at, (int)tensor.Bytes);
            Fill(tensor, bytes, random);
            change?.Invoke(tensor, bytes);
            at += bytes.Length;
        }
        return file;
    }

    /// <summary>Writes floats in the type of a tensor: F32, F16 or BF16.</summary>
    public static void Put(StoredTensor tensor, Span<byte> bytes, Func<int, float> value)
    {
        for (var i = 0; i < tensor.Elements; i++)
        {
            switch (tensor.Type)
            {
                case "F32": BinaryPrimitives.WriteSingleLittleEndian(bytes[(4 * i)..], value(i)); break;
                case "F16": BinaryPrimitives.WriteHalfLittleEndian(bytes[(2 * i)..], (Half)value(i)); break;
                case "BF16": BinaryPrimitives.WriteUInt16LittleEndian(bytes[(2 * i)..], (ushort)(BitConverter.SingleToUInt32Bits(value(i)) >> 16)); break;
                default: throw new ArgumentException($"no floats in {tensor.Type}", nameof(tensor));
            }
        }
    }

    private static void Fill(StoredTensor tensor, Span<byte> bytes, Random random)
    {
        if (tensor.Type is "F32" or "F16" or "BF16")
            Put(tensor, bytes, _ => (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) / 8);
        else if (tensor.Name.EndsWith("qzeros", StringComparison.Ordinal))
            MemoryMarshal.Cast<byte, uint>(bytes).Fill(0x77777777);
        else if (!tensor.Name.EndsWith("g_idx", StringComparison.Ordinal) && !tensor.Name.EndsWith("weight_shape", StringComparison.Ordinal))
            random.NextBytes(bytes);
    }
}
