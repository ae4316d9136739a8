using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>Writes the keys of one architecture: each name with <c>llama.</c> or what it is called in front.</summary>
internal sealed class ArchitectureKeys(GgufKeyValues keys, string architecture)
{
    public void Integer(string name, uint? value)
    {
        if (value is { } number)
            keys.UInt32(Name(name), number);
    }

    public void Integer(string name, int value) => keys.UInt32(Name(name), checked((uint)value));

    public void Number(string name, float? value)
    {
        if (value is { } number)
            keys.Float32(Name(name), number);
    }

    public void Flag(string name, bool? value)
    {
        if (value is { } flag)
            keys.Boolean(Name(name), flag);
    }

    public void Word(string name, string value) => keys.Text(Name(name), value);

    public void Flags(string name, ReadOnlySpan<bool> values) => keys.Booleans(Name(name), values);

    /// <summary>Takes back a key that the general rule wrote.</summary>
    public void Without(string name) => keys.Remove(Name(name));

    private string Name(string name) => $"{architecture}.{name}";
}
