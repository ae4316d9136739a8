using Plimsoll.Diagnostics.Snapshots;

namespace Plimsoll.Cli.Diagnose;

/// <summary>What is being diagnosed.</summary>
internal enum InputKind
{
    /// <summary>Text that may hold messages; also whatever is nothing else.</summary>
    Log,

    /// <summary>What torch.cuda.memory._dump_snapshot wrote.</summary>
    Snapshot,
}

/// <summary>Recognizes the kind of an input by its first bytes.</summary>
internal static class InputKinds
{
    /// <summary>Enough of a file to tell what it is.</summary>
    private const int HeadBytes = 4096;

    /// <summary>The kind of the first file; standard input is a log.</summary>
    public static InputKind Of(IReadOnlyList<string> files) => files[0] != "-" && File.Exists(files[0]) ? Of(Head(files[0])) : InputKind.Log;

    public static InputKind Of(ReadOnlySpan<byte> head) => SnapshotReader.Recognizes(head) ? InputKind.Snapshot : InputKind.Log;

    private static byte[] Head(string path)
    {
        using var stream = File.OpenRead(path);
        var head = new byte[HeadBytes];
        return head[..stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)];
    }
}
