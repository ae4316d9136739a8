using System.Text;

namespace Plimsoll.Testing.Builders;

/// <summary>Writes pickles of protocol 2 opcode by opcode, as torch.save does.</summary>
public sealed class PickleBuilder
{
    private readonly List<byte> _bytes = [];

    public PickleBuilder(int protocol = 2) => Raw(0x80, (byte)protocol);

    public PickleBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBuilder Op(char opcode) => Raw((byte)opcode);

    public PickleBuilder Text(string text) => Op('X').Raw([.. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)]);

    public PickleBuilder Int(int value) => Op('J').Raw(BitConverter.GetBytes(value));

    public PickleBuilder Long(params byte[] littleEndian) => Raw([0x8a, (byte)littleEndian.Length, .. littleEndian]);

    public PickleBuilder Global(string module, string name) => Raw([(byte)'c', .. Encoding.UTF8.GetBytes($"{module}\n{name}\n")]);

    public PickleBuilder Ints(params int[] values)
    {
        Op('(');
        foreach (var value in values)
            Int(value);
        return Op('t');
    }

    /// <summary>A tensor over a storage, row-major unless strides are given.</summary>
    public PickleBuilder Tensor(string storageClass, string key, int storageElements, int[] size, int[] stride, int offset = 0, bool isLegacy = false)
    {
        var dot = storageClass.LastIndexOf('.');
        Global("torch._utils", "_rebuild_tensor_v2").Op('(');
        Op('(').Text("storage").Global(storageClass[..dot], storageClass[(dot + 1)..]).Text(key).Text("cpu").Int(storageElements);
        if (isLegacy)
            Op('N');
        Op('t').Op('Q').Int(offset).Ints(size).Ints(stride).Raw(0x89);
        return Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
    }

    public byte[] Bytes() => [.. _bytes, (byte)'.'];
}
