using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Diagnostics.Tests.OutOfMemory;

public class MessageTests
{
    private const long MiB = 1L << 20;
    private const long GiB = 1L << 30;

    private static OutOfMemoryEvent Only(string text) => Assert.Single(OutOfMemoryReader.Find(LogText.Parse(text)));

    [Fact]
    public void Total_reservations_of_old_messages_include_the_tensors()
    {
        var found = Only(Messages.Torch1);
        Assert.Equal(1, found.Device);
        Assert.Equal(new Amount(3 * GiB / 2, 5368709), found.Ledger.Requested);
        Assert.Equal(24 * GiB, found.Ledger.Total?.Bytes);
        Assert.Equal(20 * GiB, found.Ledger.Allocated?.Bytes);
        Assert.Equal(2 * GiB, found.Ledger.ReservedUnallocated?.Bytes);
    }

    [Fact]
    public void What_the_oldest_messages_call_cached_excludes_the_tensors() => Assert.Equal(10 * MiB, Only(Messages.TorchCached).Ledger.ReservedUnallocated?.Bytes);

    [Fact]
    public void New_messages_state_every_part()
    {
        var ledger = Only(Messages.Torch2).Ledger;
        Assert.Equal(500 * MiB, ledger.Free?.Bytes);
        Assert.Equal(512 * MiB, ledger.PrivatePools?.Bytes);
        Assert.Equal(GiB, ledger.ReservedUnallocated?.Bytes);
        Assert.Equal(23 * GiB, ledger.ThisProcess?.Bytes);
        Assert.Equal([new ProcessUse(4711, new(256 * MiB, 5242))], ledger.Processes);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("\u001b[36m(TaskRunner pid=386)\u001b[0m {0}")]
    [InlineData("[rank7]: {0}")]
    [InlineData("> {0}")]
    [InlineData("[2026-02-24T20:21:58Z] (EngineCore_DP0 pid=6940) ERROR 10-13 09:46:06 [core.py:708] {0}")]
    public void Prefixes_and_colours_of_launchers_change_nothing(string frame)
    {
        var plain = Only(Messages.Torch2);
        var framed = Only(frame.Replace("{0}", Messages.Torch2, StringComparison.Ordinal));
        Assert.Equal(plain.Ledger with { Processes = [] }, framed.Ledger with { Processes = [] });
    }

    [Fact]
    public void A_rank_is_read_from_its_prefix() => Assert.Equal(7, Only("[rank7]: " + Messages.Torch2).Rank);

    [Fact]
    public void A_message_may_be_wrapped_at_any_blank()
    {
        var plain = Only(Messages.Torch2);
        for (var blank = Messages.Torch2.IndexOf(' '); blank >= 0; blank = Messages.Torch2.IndexOf(' ', blank + 1))
        {
            var wrapped = Only(Messages.Torch2[..blank] + "\n   " + Messages.Torch2[(blank + 1)..]);
            Assert.Equal(plain.Ledger.Requested, wrapped.Ledger.Requested);
            Assert.Equal(plain.Ledger.ReservedUnallocated, wrapped.Ledger.ReservedUnallocated);
            Assert.Equal(plain.Ledger.ThisProcess, wrapped.Ledger.ThisProcess);
        }
    }

    [Fact]
    public void Any_cut_message_is_read_as_far_as_it_goes()
    {
        for (var length = 0; length < Messages.Torch2.Length; length++)
        {
            foreach (var found in OutOfMemoryReader.Find(LogText.Parse(Messages.Torch2[..length])))
                Assert.True(found.Ledger.Total is null or { Bytes: 24 * GiB or 2 * GiB or 24 }, $"{length}: {found.Ledger.Total}");
        }
    }

    [Fact]
    public void A_number_that_the_driver_does_not_have_is_none()
    {
        var found = Only(Messages.Windows);
        Assert.True(found.HasUnavailableNumbers);
        Assert.Null(found.Ledger.ThisProcess);
    }

    [Fact]
    public void Lines_of_one_failed_buffer_are_one_event()
    {
        var found = Only(Messages.LlamaCpp);
        Assert.Equal(new Amount(5242880000), found.Ledger.Requested);
        Assert.Equal("KV cache", found.What);
        Assert.Equal(1, found.Device);
    }

    [Fact]
    public void A_shape_and_a_type_are_an_exact_size()
    {
        var found = Only(Messages.Tensor);
        Assert.Equal(new Amount(4L * 2048 * 128 * 128 * 2), found.Ledger.Requested);
        Assert.Equal(2, found.Device);
    }

    [Theory]
    [InlineData("15.41 GiB", 16546361508, 5368709)]
    [InlineData("896.00 KiB", 917504, 5)]
    [InlineData("1,610,612,736 bytes", 1610612736, 0)]
    [InlineData("0 bytes", 0, 0)]
    public void Amounts_carry_their_rounding(string text, long bytes, long rounding) => Assert.Equal(new Amount(bytes, rounding), Amount.Parse(text));

    [Fact]
    public void A_log_without_such_a_message_has_no_event() => Assert.Empty(OutOfMemoryReader.Find(LogText.Parse("step 1 loss 2.0\nstep 2 loss 1.9\nTraceback (most recent call last)\nValueError: bad batch\n")));
}
