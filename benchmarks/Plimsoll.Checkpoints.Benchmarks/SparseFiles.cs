using System.Text;

namespace Plimsoll.Checkpoints.Benchmarks;

/// <summary>Writes checkpoints of 500 BF16 tensors of 8192 × 7328 (120 MB each, 60 GB together) whose data is holes.</summary>
internal static class SparseFiles
{
    private const int Tensors = 500;
    private const long Rows = 8192;
    private const long Columns = 7328;
    private const long TensorBytes = Rows * Columns * 2;

    public static void WriteSafetensors(FileStream file)
    {
        var json = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        for (var index = 0; index < Tensors; index++)
        {
            json.Append($",\"model.layers.{index}.mlp.down_proj.weight\":{{\"dtype\":\"BF16\",\"shape\":[{Rows},{Columns}],");
            json.Append($"\"data_offsets\":[{index * TensorBytes},{(index + 1) * TensorBytes}]}}");
        }
        var header = Encoding.UTF8.GetBytes(json.Append('}').ToString());
        file.Write(BitConverter.GetBytes((long)header.Length));
        file.Write(header);
        file.SetLength(file.Position + Tensors * TensorBytes);
    }

    /// <summary>With a vocabulary of 128,256 tokens and as many merges, like Llama 3.</summary>
    public static void WriteGguf(FileStream file)
    {
        var writer = new BinaryWriter(file);
        writer.Write("GGUF"u8);
        writer.Write(3);
        writer.Write((long)Tensors);
        writer.Write(3L);
        WriteText("general.architecture");
        writer.Write(8);
        WriteText("llama");
        WriteStrings("tokenizer.ggml.tokens");
        WriteStrings("tokenizer.ggml.merges");
        for (var index = 0; index < Tensors; index++)
        {
            WriteText($"blk.{index}.ffn_down.weight");
            writer.Write(2);
            writer.Write(Columns);
            writer.Write(Rows);
            writer.Write(30);
            writer.Write(index * TensorBytes);
        }
        writer.Flush();
        file.SetLength((file.Position + 31) / 32 * 32 + Tensors * TensorBytes);

        void WriteStrings(string key)
        {
            WriteText(key);
            writer.Write(9);
            writer.Write(8);
            writer.Write(128_256L);
            for (var index = 0; index < 128_256; index++)
                WriteText($"token{index}");
        }

        void WriteText(string text)
        {
            writer.Write((long)text.Length);
            writer.Write(Encoding.UTF8.GetBytes(text));
        }
    }

    /// <summary>A zip64 archive, as torch.save writes for anything beyond 4 GB.</summary>
    public static void WritePyTorch(FileStream file)
    {
        var writer = new BinaryWriter(file);
        var directory = new MemoryStream();
        var directoryWriter = new BinaryWriter(directory);
        WriteEntry("m/data.pkl", Pickle(), 0);
        for (var index = 0; index < Tensors; index++)
            WriteEntry($"m/data/{index}", [], TensorBytes);
        var (start, size) = (file.Position, directory.Length);
        writer.Write(directory.ToArray());
        Fields(writer, 0x06064b50u, 44L, (ushort)45, (ushort)45, 0u, 0u, Tensors + 1L, Tensors + 1L, size, start);
        Fields(writer, 0x07064b50u, 0u, start + size, 1u);
        Fields(writer, 0x06054b50u, 0u, ushort.MaxValue, ushort.MaxValue, uint.MaxValue, uint.MaxValue, (ushort)0);
        writer.Flush();

        void WriteEntry(string name, byte[] data, long hole)
        {
            var (offset, length, bytes) = (file.Position, data.Length + hole, Encoding.ASCII.GetBytes(name));
            Fields(writer, 0x04034b50u, (ushort)45, 0L, 0u, uint.MaxValue, uint.MaxValue, (ushort)bytes.Length, (ushort)0);
            writer.Write(bytes);
            writer.Write(data);
            writer.Flush();
            file.Position += hole;
            Fields(directoryWriter, 0x02014b50u, (ushort)45, (ushort)45, 0L, 0u, uint.MaxValue, uint.MaxValue,
                (ushort)bytes.Length, (ushort)28, 0L, (ushort)0, uint.MaxValue);
            directoryWriter.Write(bytes);
            Fields(directoryWriter, (ushort)1, (ushort)24, length, length, offset);
        }
    }

    private static byte[] Pickle()
    {
        var bytes = new List<byte> { 0x80, 2, (byte)'}', (byte)'(' };
        for (var index = 0; index < Tensors; index++)
        {
            Text($"model.layers.{index}.mlp.down_proj.weight");
            bytes.AddRange("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
            Text("storage");
            bytes.AddRange("ctorch\nBFloat16Storage\n"u8);
            Text($"{index}");
            Text("cpu");
            Int(Rows * Columns);
            bytes.AddRange("tQ"u8);
            Int(0);
            Int(Rows);
            Int(Columns);
            bytes.Add(0x86);
            Int(Columns);
            Int(1);
            bytes.AddRange([0x86, 0x89, .. "ccollections\nOrderedDict\n)RtR"u8]);
        }
        bytes.AddRange("u."u8);
        return [.. bytes];

        void Text(string text) => bytes.AddRange([(byte)'X', .. BitConverter.GetBytes(text.Length), .. Encoding.ASCII.GetBytes(text)]);

        void Int(long value) => bytes.AddRange([(byte)'J', .. BitConverter.GetBytes((int)value)]);
    }

    private static void Fields(BinaryWriter writer, params object[] fields)
    {
        foreach (var field in fields)
        {
            switch (field)
            {
                case ushort value: writer.Write(value); break;
                case uint value: writer.Write(value); break;
                case long value: writer.Write(value); break;
                default: throw new ArgumentException($"a field of type {field.GetType()}", nameof(fields));
            }
        }
    }
}
