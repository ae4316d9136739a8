using Plimsoll.Checkpoints.Pickle;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.PyTorch;

/// <summary>A storage as the pickle mentions it: <c>('storage', class, key, device, elements)</c>.</summary>
/// <param name="Format">The element type; bytes for untyped storages.</param>
internal sealed record PyTorchStorage(NumberFormat Format, string Key, long Elements)
{
    /// <summary>Bytes of the whole storage.</summary>
    public long Bytes => Format.BytesFor(Elements);

    /// <exception cref="CheckpointFormatException">The identifier has another form.</exception>
    public static PyTorchStorage Parse(string path, PickleValue id)
    {
        if (id.Items is not { Count: >= 5 } parts || parts[0].Text != "storage" || parts[1].Global is not { } type || parts[2].Text is not { } key
            || parts[4].Integer is not (>= 0 and { } elements))
        {
            throw new CheckpointFormatException(path, null, "a persistent id ('storage', class, key, device, elements)", id.ToString());
        }
        // torch's old format can name a window of another storage; nothing has written one for years.
        if (parts.Count > 5 && !parts[5].IsNone)
            throw new CheckpointFormatException(path, null, $"storage '{key}' without a view of another one", "a view");
        var format = PyTorchGlobals.Format(type)
            ?? throw new CheckpointFormatException(path, null, "a storage class with a known element type", type.ToString());
        return elements <= long.MaxValue / 16
            ? new(format, key, elements)
            : throw new CheckpointFormatException(path, null, $"a size of storage '{key}' that fits 64 bits", $"{elements:N0} elements");
    }
}
