using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Pickle;
using Plimsoll.Diagnostics.Snapshots.Reading;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>Reads memory snapshots of every torch version: pickles of protocols 0 to 5 and their JSON, a dictionary or a bare list of segments.</summary>
public static class SnapshotReader
{
    /// <summary>The largest device number: torch compiles for 64 devices (c10/core/Device.h), other builds for 120.</summary>
    public const int MaxDevices = 127;

    /// <summary>The largest size in bytes: 2^48, the address space of a process, so that sums stay below 2^63.</summary>
    public const long MaxBytes = 1L << 48;

    /// <summary>Whether the first bytes of a file may be those of a snapshot.</summary>
    public static bool Recognizes(ReadOnlySpan<byte> head) =>
        head is [0x80, <= 5, ..] || IsTextPickle(head) || (head.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..] && NamesSegments(head));

    /// <exception cref="CheckpointFormatException">The file is no snapshot.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static MemorySnapshot Read(string path)
    {
        var builder = new SnapshotBuilder(path);
        return builder.Finish(IsJson(path) ? JsonReducer.Reduce(path, builder) : PickleReducer<Node>.ReduceFile(path, builder, PickleLimits.Snapshot));
    }

    /// <summary>Protocols 0 and 1 begin with a dictionary or list and its number.</summary>
    private static bool IsTextPickle(ReadOnlySpan<byte> head) => head is [(byte)'(', (byte)'d' or (byte)'l', (byte)'p', ..] or [(byte)'}' or (byte)']', (byte)'q', ..];

    private static bool NamesSegments(ReadOnlySpan<byte> head) => head.IndexOf("\"segments\""u8) >= 0 || head.IndexOf("\"device_traces\""u8) >= 0 || head.IndexOf("\"segment_type\""u8) >= 0;

    private static bool IsJson(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> head = stackalloc byte[64];
        return head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)].TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..];
    }
}
