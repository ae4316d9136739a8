using System.Text;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.Pickle;

namespace Plimsoll.Checkpoints.PyTorch;

/// <summary>Reads files written by torch.save: zip archives (PyTorch 1.6 and later) and the row of pickles before that.</summary>
/// <remarks>No tensor data is read and nothing is run.</remarks>
public static class PyTorchReader
{
    /// <summary>The description of a 100 GB model with its optimizer's state takes a few megabytes.</summary>
    private const long MaxPickleBytes = 256L << 20;

    /// <exception cref="CheckpointFormatException">The file is none of torch.save, mentions a Python name beyond those of tensors, or is broken.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PyTorchArchive Read(string path)
    {
        using var source = new FileByteSource(path);
        return Read(source);
    }

    internal static PyTorchArchive Read(ByteSource source)
    {
        var cursor = new ByteCursor(source);
        var isZip = cursor.Remaining >= 4 && cursor.ReadUInt32("signature") == 0x04034b50;
        return isZip ? ReadZip(source) : PyTorchLegacy.Read(source);
    }

    private static PyTorchArchive ReadZip(ByteSource source)
    {
        var directory = ZipDirectory.Read(source);
        var entries = new Dictionary<string, ZipEntry>(StringComparer.Ordinal);
        foreach (var entry in directory.Entries)
        {
            if (!entries.TryAdd(entry.Name, entry))
                throw Bad("every entry name once", $"'{entry.Name}' a second time");
        }
        // torch takes the folder of the first entry, whose name is that of the file when it was saved.
        var folder = directory.Entries.Count == 0 ? "" : directory.Entries[0].Name.Split('/')[0];
        if (!entries.TryGetValue($"{folder}/data.pkl", out var pickle))
            throw Bad($"an archive of torch.save with an entry '{folder}/data.pkl'", $"{directory.Entries.Count:N0} entries without it");
        if (entries.TryGetValue($"{folder}/byteorder", out var order) && ReadText(order) == "big")
            throw Bad("little-endian tensors", "a 'byteorder' entry that says big");
        if (pickle.Bytes > MaxPickleBytes)
            throw Bad($"a description of at most {MaxPickleBytes:N0} bytes", $"{pickle.Bytes:N0}");

        var start = directory.DataOffset(pickle);
        var root = PickleReader.Read(new ByteCursor(source, start, start + pickle.Bytes), PyTorchGlobals.Allowed, PickleLimits.Checkpoint);
        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        var (tensors, metadata) = PyTorchState.Collect(source.Path, root, OffsetOf);
        return new(source.Path, tensors, metadata);

        string ReadText(ZipEntry entry)
        {
            var at = directory.DataOffset(entry);
            return Encoding.UTF8.GetString(new ByteCursor(source, at, at + entry.Bytes).Take((int)Math.Min(entry.Bytes, 16), "text")).Trim();
        }

        long OffsetOf(PyTorchStorage storage)
        {
            if (!entries.TryGetValue($"{folder}/data/{storage.Key}", out var entry))
                throw Bad($"an entry '{folder}/data/{storage.Key}' with a tensor's data", "none");
            if (entry.Bytes != storage.Bytes)
                throw Bad($"{storage.Bytes:N0} bytes in '{entry.Name}', {storage.Elements:N0} elements of {storage.Format}", $"{entry.Bytes:N0}");
            if (!offsets.TryGetValue(storage.Key, out var at))
                offsets[storage.Key] = at = directory.DataOffset(entry);
            return at;
        }

        CheckpointFormatException Bad(string expected, string found) => new(source.Path, null, expected, found);
    }
}
