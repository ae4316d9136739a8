using System.Buffers.Binary;
using System.Text;

namespace Plimsoll.Checkpoints.Tests.Builders;

/// <summary>Writes safetensors files byte by byte, so that a test can also write wrong ones.</summary>
internal static class SafetensorsBuilder
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
}
