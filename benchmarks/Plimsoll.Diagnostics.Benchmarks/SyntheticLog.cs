using System.Text;

namespace Plimsoll.Diagnostics.Benchmarks;

/// <summary>A training log of any length that is made while it is read: steps, and every 100 MB a traceback that runs out of memory.</summary>
internal sealed class SyntheticLog(long bytes) : Stream
{
    private const long BetweenEvents = 100_000_000;

    private static readonly byte[] Steps = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 10_000).Select(step => $"2026-01-02 03:04:05,678 INFO trainer: step {step:D7} loss 2.{step % 1000:D3} grad_norm 0.{step % 777:D3} lr 1.0e-04 tokens/s 51234.5 allocated 31.5GB\n")));

    private static readonly byte[] Failure = Encoding.UTF8.GetBytes(
        "Traceback (most recent call last):\n  File \"train.py\", line 99, in <module>\n    loss.backward()\n"
        + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which 512.00 MiB is free. Including non-PyTorch memory, this process has 78.00 GiB memory in use. "
        + "Of the allocated memory 75.00 GiB is allocated by PyTorch, and 1.00 GiB is reserved by PyTorch but unallocated.\n");

    private byte[] current = Steps;
    private int at;
    private long sinceEvent;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => bytes;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        if (at == current.Length)
        {
            (current, at) = (sinceEvent > BetweenEvents ? Failure : Steps, 0);
            sinceEvent = ReferenceEquals(current, Failure) ? 0 : sinceEvent;
        }
        var count = (int)Math.Min(Math.Min(buffer.Length, current.Length - at), bytes - Position);
        current.AsSpan(at, count).CopyTo(buffer);
        at += count;
        Position += count;
        sinceEvent += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
