using System.Buffers.Binary;
using System.Text;

namespace Plimsoll.Testing.Builders;

/// <summary>Writes safetensors files byte by byte, so that a test can also write wrong ones.</summary>
public static class SafetensorsBuilder
{
    /// <summary>Two tensors that tile ten bytes, and metadata.</summary>
    public const string Valid = """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}""";

    public static byte[] File(string json, int dataBytes, long? headerLength = null)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, headerLength ?? header.Length);
        header.CopyTo(file, 8);
        return file;
    }

    public static byte[] ValidFile() => File(Valid, 10);

    /// <summary>A file of zeros with these tensors one after the other.</summary>
    /// <param name="metadata">The <c>__metadata__</c> object as JSON; null for none.</param>
    public static byte[] File(IEnumerable<StoredTensor> tensors, string? metadata = null)
    {
        var (json, length) = Json(tensors, metadata);
        return File(json, checked((int)length));
    }

    /// <summary>The same on disk, with a hole in place of the data: a file of any size costs only its header.</summary>
    public static void WriteSparse(string path, IEnumerable<StoredTensor> tensors, string? metadata = null)
    {
        var (json, length) = Json(tensors, metadata);
        var header = File(json, 0);
        using var file = System.IO.File.Create(path);
        file.Write(header);
        file.SetLength(header.Length + length);
    }

    private static (string Json, long DataBytes) Json(IEnumerable<StoredTensor> tensors, string? metadata)
    {
        var json = new StringBuilder("{");
        if (metadata is not null)
            json.Append("\"__metadata__\":").Append(metadata).Append(',');
        var end = 0L;
        foreach (var tensor in tensors)
        {
            json.Append($"\"{tensor.Name}\":{{\"dtype\":\"{tensor.Type}\",\"shape\":[{string.Join(',', tensor.Shape)}],\"data_offsets\":[{end},{end + tensor.Bytes}]}},");
            end += tensor.Bytes;
        }
        if (json[^1] == ',')
            json.Length--;
        return (json.Append('}').ToString(), end);
    }
}
