using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Diagnostics.Tests.OutOfMemory;

public class WordingTests
{
    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Wordings.All.Count())];

    [Theory]
    [MemberData(nameof(Indices))]
    public void A_wording_is_read_as_what_it_is(int index)
    {
        var expected = Wordings.All.ElementAt(index);
        var diagnosis = OutOfMemoryDiagnosis.Of(LogText.Parse(expected.Text));
        var found = diagnosis.Case?.Event;
        Assert.NotNull(found);
        Assert.Equal(
            (expected.Program, expected.Kind, expected.Check, expected.Requested, expected.Free),
            (found.Program, found.Kind, diagnosis.Findings.Length > 0 ? diagnosis.Findings[0].Check : "", found.Ledger.Requested?.Bytes, found.Ledger.Free?.Bytes));
        if (expected.Backend is { } backend)
            Assert.Equal(backend, found.Backend);
    }

    /// <summary>What a search for words would pass over in a long log no grammar would ever see.</summary>
    [Theory]
    [MemberData(nameof(Indices))]
    public void A_wording_is_found_in_a_log_that_is_not_read_whole(int index)
    {
        var text = Wordings.All.ElementAt(index).Text;
        var whole = OutOfMemoryReader.Find(LogText.Parse(text));
        var inLong = OutOfMemoryReader.Find(LogText.Read(new StringReader(Filler + text + "\n")));
        Assert.Equal(whole.Select(found => (found.Family, found.Line + FillerLines, found.Ledger.Requested)), inLong.Select(found => (found.Family, found.Line, found.Ledger.Requested)));
    }

    [Fact]
    public void Every_finding_has_a_rule()
    {
        var rules = OutOfMemoryDiagnosis.Rules.Select(rule => rule.Name).ToHashSet();
        var findings = Wordings.All.SelectMany(wording => OutOfMemoryDiagnosis.Of(LogText.Parse(wording.Text)).Findings).Select(finding => finding.Check);
        Assert.Empty(findings.Except(rules));
        Assert.All(OutOfMemoryDiagnosis.Rules, rule => Assert.Single(OutOfMemoryDiagnosis.Rules, other => other.Name == rule.Name));
    }

    [Theory]
    [InlineData("        \"OOMKilled\": false,\n        \"ExitCode\": 0")]
    [InlineData("RuntimeError: CUDA error: an illegal memory access was encountered")]
    [InlineData("    except MemoryError:\n        raise MemoryError(text)")]
    [InlineData("Killed worker pods gracefully; 3 remain")]
    [InlineData("GPU 0 memory - allocated: 1.89GB, reserved: 2.31GB")]
    [InlineData("step 137 loss 1.37")]
    [InlineData("INFO Available KV cache memory: 12.5 GiB\nINFO GPU KV cache size: 52,608 tokens")]
    [InlineData("OutOfMemoryError handling is enabled; 0 batches were skipped")]
    public void Words_of_memory_alone_are_no_event(string text) => Assert.Empty(OutOfMemoryReader.Find(LogText.Parse(text)));

    private const int FillerLines = 23_000;

    private static readonly string Filler = string.Concat(Enumerable.Repeat("step 1 loss 2.000000 lr 0.0001 speed 99.9 it/s\n", FillerLines));
}
