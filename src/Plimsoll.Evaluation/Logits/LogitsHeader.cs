using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Plimsoll.Checkpoints;

namespace Plimsoll.Evaluation.Logits;

/// <summary>What a file of kept predictions is of: the model, the text and the windows. Predictions can be compared only where these are the same.</summary>
/// <remarks>
/// Layout, little-endian: <c>PLGT0001</c>; bytes of the model's name and the name; vocabulary, context, windows, bos (−1: none) as 32-bit integers; the tokens of the
/// windows; then for each scored token a row of <see cref="RowBytes"/>: the token of the largest logit, the log-probability of the token that came
/// (32-bit float), and a code of 16 bits for each token of the vocabulary (<see cref="LogitCode"/>).
/// </remarks>
internal static class LogitsHeader
{
    private const int MaxNameBytes = 4096;

    private static ReadOnlySpan<byte> Magic => "PLGT0001"u8;

    /// <summary>Bytes of one row.</summary>
    public static int RowBytes(int vocabulary) => checked(8 + 2 * vocabulary);

    /// <summary>The header that a file of these predictions begins with.</summary>
    public static byte[] Make(string model, int vocabulary, EvaluationWindows windows)
    {
        var name = Encoding.UTF8.GetBytes(model);
        if (name.Length > MaxNameBytes)
            name = name[^MaxNameBytes..];
        var header = new byte[Magic.Length + 4 + name.Length + 16 + 4 * windows.Tokens.Length];
        var rest = header.AsSpan();
        Magic.CopyTo(rest);
        BinaryPrimitives.WriteInt32LittleEndian(rest[8..], name.Length);
        name.CopyTo(rest[12..]);
        rest = rest[(12 + name.Length)..];
        foreach (var value in (int[])[vocabulary, windows.Context, windows.Count, windows.Bos ?? -1])
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, value);
            rest = rest[4..];
        }
        MemoryMarshal.AsBytes(windows.Tokens).CopyTo(rest);
        return header;
    }

    /// <summary>Why a file cannot be compared with, as a sentence; null when it can.</summary>
    /// <exception cref="CheckpointFormatException">It is no such file, or its length is not what its header says.</exception>
    public static string? Difference(string path, ReadOnlySpan<byte> found, long fileLength, byte[] expected, int vocabulary, EvaluationWindows windows)
    {
        if (!found.StartsWith(Magic))
            throw new CheckpointFormatException(path, 0, "a file of kept predictions (PLGT0001)", "something else");
        var wanted = expected.Length + (long)RowBytes(vocabulary) * windows.Count * windows.Scored;
        if (!found.SequenceEqual(expected))
            return "it was made with another model, text, context or number of windows";
        return fileLength == wanted ? null : throw new CheckpointFormatException(path, null, $"{wanted:N0} bytes", $"{fileLength:N0}: the file is cut off");
    }
}
