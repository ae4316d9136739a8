using System.Numerics;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.Pickle;

namespace Plimsoll.Checkpoints.PyTorch;

/// <summary>The format of torch.save before PyTorch 1.6: five pickles in a row, then the storages, each with its element count before it.</summary>
/// <remarks>magic number, protocol version 1001, system facts, the value, the list of storage keys (torch/serialization.py, <c>_legacy_save</c>).</remarks>
internal static class PyTorchLegacy
{
    private const int ProtocolVersion = 1001;

    private static readonly BigInteger Magic = (new BigInteger(0x1950) << 64) + 0xa86a20f9469cfc6cUL;

    public static PyTorchArchive Read(ByteSource source)
    {
        var cursor = new ByteCursor(source);
        if (cursor.Remaining == 0 || cursor.ReadByte("protocol") != (byte)PickleOpcode.Protocol)
            throw cursor.Bad("a file of torch.save: a zip archive or a pickle", Opening(source), 0);
        cursor = new ByteCursor(source);
        if (Next(cursor).BigInteger != Magic)
            throw cursor.Bad("a file of torch.save, which starts with its magic number", "some other pickle", 0);
        if (Next(cursor).Integer is var version && version != ProtocolVersion)
            throw cursor.Bad($"protocol version {ProtocolVersion}", $"{version}");
        if (Next(cursor).Dictionary?["little_endian"].Boolean == false)
            throw cursor.Bad("little-endian tensors", "system facts that say big-endian");

        var root = Next(cursor);
        var keys = Next(cursor);
        var sizes = new Dictionary<string, PyTorchStorage>(StringComparer.Ordinal);
        // The storages lie in the order of the key list, so their places are known only when all sizes are.
        PyTorchState.Collect(source.Path, root, storage =>
        {
            sizes[storage.Key] = storage;
            return 0;
        });
        var offsets = Locate(source, cursor, keys, sizes);
        var (tensors, metadata) = PyTorchState.Collect(source.Path, root, storage => offsets.TryGetValue(storage.Key, out var offset)
            ? offset
            : throw cursor.Bad($"storage '{storage.Key}' in the list of keys", "none"));
        return new(source.Path, tensors, metadata);
    }

    private static PickleValue Next(ByteCursor cursor) => PickleReader.Read(cursor, PyTorchGlobals.Allowed, PickleLimits.Checkpoint);

    private static Dictionary<string, long> Locate(ByteSource source, ByteCursor cursor, PickleValue keys, Dictionary<string, PyTorchStorage> sizes)
    {
        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        var at = cursor.Position;
        foreach (var key in keys.Items ?? throw cursor.Bad("a list of storage keys", keys.ToString()))
        {
            if (key.Text is not { } name || !sizes.TryGetValue(name, out var storage))
                throw cursor.Bad("the key of a storage that a tensor uses", key.ToString());
            var place = new ByteCursor(source, at, Math.Min(at + 8, source.Length!.Value));
            if ((long)place.ReadUInt64("element count") is var elements && elements != storage.Elements)
                throw place.Bad($"{storage.Elements:N0} elements in storage '{name}'", $"{elements:N0}", at);
            at += 8;
            if (storage.Bytes > source.Length - at)
                throw place.Bad($"{storage.Bytes:N0} bytes of storage '{name}'", $"{source.Length - at:N0} bytes left");
            offsets[name] = at;
            at += storage.Bytes;
        }
        return offsets;
    }

    /// <summary>The first bytes, for a reader who wonders what the file is.</summary>
    private static string Opening(ByteSource source)
    {
        Span<byte> first = stackalloc byte[8];
        var count = source.Read(0, first);
        return count == 0 ? "an empty file" : $"the bytes {Convert.ToHexString(first[..count])}";
    }
}
