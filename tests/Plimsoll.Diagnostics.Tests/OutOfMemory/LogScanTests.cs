using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Diagnostics.Tests.OutOfMemory;

public class LogScanTests
{
    /// <summary>Long enough that several reads are needed, with failures wherever a read may end.</summary>
    private static readonly string Long = string.Concat(Enumerable.Range(0, 9).Select(part =>
        string.Concat(Enumerable.Repeat("step 1 loss 2.000000 lr 0.0001 speed 99.9 it/s\r\n", 7_000 + (317 * part)))
        + $"train.py --batch_size {part + 2}\n"
        + $"Traceback (most recent call last):\n  File \"train.py\", line 7, in main\n    loss.backward()\n[rank{part}]: {Messages.Torch2.Replace(" of which", "\n of which", StringComparison.Ordinal)}\n"));

    [Fact]
    public void A_long_log_gives_the_events_of_the_whole()
    {
        var (whole, scanned) = (LogText.Parse(Long), LogText.Read(new StringReader(Long)));
        var (expected, found) = (OutOfMemoryReader.Find(whole), OutOfMemoryReader.Find(scanned));
        Assert.Equal(9, expected.Length);
        Assert.Equal(expected.Select(Facts), found.Select(Facts));
        for (var index = 0; index < found.Length; index++)
            Assert.Equal(OutOfMemoryCase.Create(whole, expected[index], null).Phase, OutOfMemoryCase.Create(scanned, found[index], null).Phase);
        Assert.True(scanned.Flat.Length < whole.Flat.Length / 4);
    }

    [Fact]
    public void The_batch_is_that_of_the_last_statement_before()
    {
        var log = LogText.Read(new StringReader(Long));
        Assert.Equal([2, 3, 4, 5, 6, 7, 8, 9, 10], OutOfMemoryReader.Find(log).Select(found => OutOfMemoryCase.Create(log, found, null).Batch));
    }

    [Fact]
    public void Several_logs_are_one()
    {
        var log = LogText.Read(new StringReader("a\nb\n"), new StringReader(Messages.Torch1 + "\n"));
        Assert.Equal(3, Assert.Single(OutOfMemoryReader.Find(log)).Line);
    }

    [Fact]
    public void A_line_without_end_is_read_in_pieces()
    {
        var text = string.Concat(Enumerable.Repeat("0123456789 ", 200_000)) + Messages.Torch2;
        Assert.Equal(1, Assert.Single(OutOfMemoryReader.Find(LogText.Read(new StringReader(text)))).Line);
    }

    [Fact]
    public void What_a_progress_bar_overwrote_has_the_number_of_its_line()
    {
        var log = LogText.Parse("one\n10%\r20%\r" + Messages.Torch1 + "\nthree");
        Assert.Equal(2, Assert.Single(OutOfMemoryReader.Find(log)).Line);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n\t")]
    public void A_log_of_nothing_is_blank(string text) => Assert.True(LogText.Read(new StringReader(text)).IsBlank);

    private static (string, int, int?, long?, long?) Facts(OutOfMemoryEvent found) => (found.Family, found.Line, found.Rank, found.Ledger.Requested?.Bytes, found.Ledger.Free?.Bytes);
}
