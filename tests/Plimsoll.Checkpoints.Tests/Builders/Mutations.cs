using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Tests.Builders;

/// <summary>The law of every reader: whatever bytes it is given, a valid result or a <see cref="CheckpointFormatException"/>, and little memory.</summary>
internal static class Mutations
{
    /// <summary>A small file may cost a few windows of 64 KiB, never what its numbers claim.</summary>
    private const long MaxAllocatedBytes = 4 << 20;

    /// <summary>Reads every prefix of a file, and the file with every header byte changed in ten ways.</summary>
    /// <returns>How many of the mutants were refused.</returns>
    public static int Check(byte[] valid, int headerBytes, Action<ByteSource> read)
    {
        Assert.True(Accepts(valid, read), "the unchanged file must be accepted");
        var refused = 0;
        for (var length = 0; length < valid.Length; length++)
            refused += Accepts(valid[..length], read) ? 0 : 1;
        for (var at = 0; at < headerBytes; at++)
        {
            foreach (var value in Replacements(valid[at]))
            {
                var mutant = (byte[])valid.Clone();
                mutant[at] = value;
                refused += Accepts(mutant, read) ? 0 : 1;
            }
        }
        return refused;
    }

    public static bool Accepts(byte[] bytes, Action<ByteSource> read)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var accepted = true;
        try
        {
            using var source = new PrefixByteSource("mutant", bytes, bytes.Length);
            read(source);
        }
        catch (CheckpointFormatException)
        {
            accepted = false;
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaxAllocatedBytes, $"{allocated:N0} bytes were allocated for a file of {bytes.Length:N0}");
        return accepted;
    }

    private static IEnumerable<byte> Replacements(byte value) =>
        Enumerable.Range(0, 8).Select(bit => (byte)(value ^ 1 << bit)).Append((byte)0x00).Append((byte)0xFF).Where(other => other != value).Distinct();
}
