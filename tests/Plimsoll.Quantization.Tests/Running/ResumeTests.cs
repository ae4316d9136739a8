using Plimsoll.Quantization.Running;

namespace Plimsoll.Quantization.Tests.Running;

public sealed class ResumeTests : IDisposable
{
    private readonly RunFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>The disk fails at each of the writes in turn: header, four tensors.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_run_that_the_disk_ended_goes_on_and_ends_with_the_same_bytes(int failingWrite)
    {
        var disk = new FakeDisk { Writing = write => Fail(write == failingWrite) };
        Assert.Equal("No space left on device", Assert.Throws<IOException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Disk = disk })).Message);
        Assert.False(File.Exists(folder.Target));
        var finished = Math.Max(0, failingWrite - 1);
        Assert.Equal(finished > 0, Directory.Exists(folder.Partial));

        var jobs = RunFolder.Jobs();
        var report = folder.Run(RunFolder.Plan(jobs), request => request with { Resume = true });
        Assert.Equal(finished, report.ResumedTensors);
        Assert.Equal(jobs.Skip(finished).Sum(job => job.Rows), jobs.Sum(job => job.EncodedRows));
        Assert.Equal(RunFolder.Expected(RunFolder.Plan(jobs).Files[0]), File.ReadAllBytes(folder.Target));
        Assert.Equal(Uninterrupted().Tensors, report.Tensors);
    }

    /// <summary>What is on disk in the middle of a run is what a killed process leaves.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_run_that_was_killed_goes_on(int atWrite)
    {
        var left = folder.File("left");
        folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Disk = new FakeDisk { Writing = write => Copy(write == atWrite) } });
        File.Delete(folder.Target);
        Directory.Move(left, folder.Partial);
        var jobs = RunFolder.Jobs();
        Assert.Equal(atWrite - 1, folder.Run(RunFolder.Plan(jobs), request => request with { Resume = true }).ResumedTensors);
        Assert.Equal(RunFolder.Expected(RunFolder.Plan(jobs).Files[0]), File.ReadAllBytes(folder.Target));

        void Copy(bool now)
        {
            if (!now)
                return;
            Directory.CreateDirectory(Path.Combine(left, "files"));
            File.Copy(Path.Combine(folder.Partial, "journal"), Path.Combine(left, "journal"));
            File.Copy(Path.Combine(folder.Partial, "files", "out.bin"), Path.Combine(left, "files", "out.bin"));
        }
    }

    [Fact]
    public void A_tensor_whose_bytes_were_lost_is_written_again()
    {
        Stop(atWrite: 4);
        using (var file = File.OpenWrite(Path.Combine(folder.Partial, "files", "out.bin")))
        {
            file.Position = 128 + 5000;
            file.WriteByte(0xAA);
        }
        var jobs = RunFolder.Jobs();
        Assert.Equal(2, folder.Run(RunFolder.Plan(jobs), request => request with { Resume = true }).ResumedTensors);
        Assert.Equal(RunFolder.Expected(RunFolder.Plan(jobs).Files[0]), File.ReadAllBytes(folder.Target));
    }

    [Fact]
    public void A_line_that_was_cut_counts_for_nothing()
    {
        Stop(atWrite: 4);
        var journal = Path.Combine(folder.Partial, "journal");
        File.WriteAllText(journal, File.ReadAllText(journal)[..^3]);
        Assert.Equal(2, folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Resume = true }).ResumedTensors);
    }

    [Fact]
    public void A_journal_of_nonsense_is_no_journal()
    {
        Stop(atWrite: 4);
        File.WriteAllText(Path.Combine(folder.Partial, "journal"), "done 0 0\ndone 99 99 zz\n");
        Assert.Equal(0, folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Resume = true }).ResumedTensors);
    }

    [Fact]
    public void An_unfinished_run_of_another_recipe_is_refused()
    {
        Stop(atWrite: 4);
        Assert.Equal($"{folder.Partial} is the unfinished run of another recipe; leave out --resume to start over",
            Assert.Throws<QuantizationRefusedException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Resume = true, Recipe = "bf16" })).Message);
        Assert.Throws<QuantizationRefusedException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()[..2]), request => request with { Resume = true }));
    }

    [Fact]
    public void An_unfinished_run_of_another_source_is_refused()
    {
        Stop(atWrite: 4);
        File.AppendAllText(folder.Source, "changed");
        Assert.Equal($"{folder.Partial} is the unfinished run of a source that has changed since; leave out --resume to start over",
            Assert.Throws<QuantizationRefusedException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Resume = true })).Message);
        Assert.Equal(0, folder.Run(RunFolder.Plan(RunFolder.Jobs())).ResumedTensors);
    }

    [Fact]
    public void Cancelling_leaves_nothing_under_the_final_name_and_can_be_continued()
    {
        using var interruption = new CancellationTokenSource();
        var jobs = RunFolder.Jobs();
        jobs[3].Reading = _ => interruption.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => folder.Run(RunFolder.Plan(jobs), cancellation: interruption.Token));
        Assert.False(File.Exists(folder.Target));
        Assert.Equal(3, folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Resume = true }).ResumedTensors);
    }

    [Fact]
    public void Two_runs_do_not_write_the_same_output()
    {
        var jobs = RunFolder.Jobs();
        var refused = "";
        jobs[3].Reading = _ => refused = Assert.ThrowsAny<IOException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()))).Message;
        folder.Run(RunFolder.Plan(jobs), request => request with { Threads = 1 });
        Assert.Equal($"another run is writing {folder.Target}; let it end, or name another output", refused);
    }

    private static void Fail(bool now)
    {
        if (now)
            throw new IOException("No space left on device");
    }

    private void Stop(int atWrite) =>
        Assert.Throws<IOException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Disk = new FakeDisk { Writing = write => Fail(write == atWrite) } }));

    private static QuantizationReport Uninterrupted()
    {
        using var other = new RunFolder();
        return other.Run(RunFolder.Plan(RunFolder.Jobs()));
    }
}
