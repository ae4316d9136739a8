using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Quantization.Tests.Running;

public sealed class QuantizationRunnerTests : IDisposable
{
    private readonly RunFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Bytes_and_errors_do_not_depend_on_the_number_of_threads(int threads)
    {
        var plan = RunFolder.Plan(RunFolder.Jobs());
        var report = folder.Run(plan, request => request with { Threads = threads });
        Assert.Equal(RunFolder.Expected(plan.Files[0]), File.ReadAllBytes(folder.Target));
        Assert.Equal([folder.Target], report.Files);
        Assert.False(Directory.Exists(folder.Partial));

        using var other = new RunFolder();
        var single = other.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Threads = 1 });
        Assert.Equal(single.Tensors.Select(tensor => tensor.ErrorSum), report.Tensors.Select(tensor => tensor.ErrorSum));
    }

    [Fact]
    public void The_report_has_the_error_of_every_tensor()
    {
        var job = new FakeJob("w", 40, 300);
        var report = folder.Run(RunFolder.Plan(job));
        var tensor = Assert.Single(report.Tensors);
        double errors = 0, squares = 0;
        for (var row = 0; row < 40; row++)
        {
            for (var column = 0; column < 300; column++)
            {
                double x = job.Weight(row, column), y = (float)(Half)job.Weight(row, column);
                errors += (x - y) * (x - y);
                squares += x * x;
            }
        }
        Assert.Equal(("w", "FP16", 12_000L, 24_000L, 16.0), (tensor.Name, tensor.Type, tensor.Weights, tensor.Bytes, tensor.BitsPerWeight));
        Assert.Equal(errors, tensor.ErrorSum, errors * 1e-9);
        Assert.Equal(errors / squares, tensor.RelativeError, 1e-9 * errors / squares);
        Assert.Equal(Math.Sqrt(errors / 12_000), tensor.RootMeanSquareError, 1e-12);
        Assert.Equal(report.RelativeError, tensor.RelativeError);
    }

    [Fact]
    public void Several_files_become_a_folder_with_its_side_files()
    {
        var copied = folder.File("tokenizer.json");
        File.WriteAllText(copied, "{}");
        var jobs = RunFolder.Jobs();
        var plan = new OutputPlan(IsFolder: true, [RunFolder.OneFile("a", jobs[..2]), RunFolder.OneFile("b", jobs[2..])],
            [new("config.json", "{\"x\":1}"u8.ToArray(), null), new("tokenizer.json", null, copied)], []);
        var report = folder.Run(plan);
        Assert.Equal(["a", "b", "config.json", "tokenizer.json"], Directory.EnumerateFiles(folder.Target).Select(Path.GetFileName).Order());
        Assert.Equal(RunFolder.Expected(plan.Files[1]), File.ReadAllBytes(Path.Combine(folder.Target, "b")));
        Assert.Equal("{\"x\":1}", File.ReadAllText(Path.Combine(folder.Target, "config.json")));
        Assert.Equal(plan.Files.Sum(file => file.Length), report.FileBytes);
        Assert.False(Directory.Exists(folder.Partial));
    }

    [Fact]
    public void A_weight_that_is_not_finite_is_named_with_its_place()
    {
        var jobs = RunFolder.Jobs();
        jobs[2].Exceptions[(90, 11)] = float.PositiveInfinity;
        jobs[2].Exceptions[(41, 2499)] = float.NaN;
        var failure = Assert.Throws<NonFiniteWeightException>(() => folder.Run(RunFolder.Plan(jobs)));
        Assert.Equal("up[41, 2499] is NaN: the source is damaged, or overflowed when it was saved", failure.Message);
        Assert.False(File.Exists(folder.Target));

        var report = folder.Run(RunFolder.Plan(jobs), request => request with { AllowNonFinite = true, Resume = true });
        Assert.Equal((2, 2), (report.ResumedTensors, report.NonFinite));
        jobs[2].Exceptions[(90, 11)] = jobs[2].Exceptions[(41, 2499)] = 0;
        Assert.Equal(RunFolder.Expected(RunFolder.Plan(jobs).Files[0]), File.ReadAllBytes(folder.Target));
    }

    [Fact]
    public void A_bad_first_tensor_leaves_nothing_at_all()
    {
        var job = new FakeJob("w", 4, 64);
        job.Exceptions[(0, 0)] = float.NegativeInfinity;
        Assert.Throws<NonFiniteWeightException>(() => folder.Run(RunFolder.Plan(job)));
        Assert.False(Directory.Exists(folder.Partial));
    }

    [Fact]
    public void A_disk_that_is_too_small_is_said_before_anything_is_written()
    {
        var jobs = RunFolder.Jobs();
        var failure = Assert.Throws<IOException>(() => folder.Run(RunFolder.Plan(jobs), request => request with { Disk = new FakeDisk { Free = 1000 } }));
        Assert.Equal($"{Path.GetDirectoryName(folder.Target)} has 1.00 kB (1,000 B) free and the output takes 1.15 MB (1,145,824 B); free 1.14 MB (1,144,824 B), or name an output on another disk", failure.Message);
        Assert.False(Directory.Exists(folder.Partial));
        Assert.Equal(0, jobs.Sum(job => job.EncodedRows));
    }

    [Fact]
    public void A_folder_that_takes_no_new_folders_is_a_failure_of_the_environment() =>
        Assert.Contains("takes no new folder", Assert.ThrowsAny<IOException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { Target = "/proc/self/out.bin" })).Message, StringComparison.Ordinal);

    [Fact]
    public void What_exists_is_replaced_only_when_that_is_asked_for()
    {
        var plan = RunFolder.Plan(RunFolder.Jobs());
        File.WriteAllText(folder.Target, "precious");
        Assert.Equal($"{folder.Target} exists; --force replaces it, or name another file", Assert.Throws<QuantizationRefusedException>(() => folder.Run(plan)).Message);
        Assert.Equal("precious", File.ReadAllText(folder.Target));
        folder.Run(plan, request => request with { Replace = true });
        Assert.Equal(plan.Files[0].Length, new FileInfo(folder.Target).Length);
    }

    [Fact]
    public void The_source_is_never_replaced()
    {
        var failure = Assert.Throws<QuantizationRefusedException>(() => folder.Run(RunFolder.Plan(RunFolder.Jobs()), request => request with { SourceFiles = [folder.Target], Target = Existing(), Replace = true }));
        Assert.EndsWith("is the file that is read; name another one", failure.Message, StringComparison.Ordinal);

        string Existing()
        {
            File.WriteAllText(folder.Target, "weights");
            return folder.Target;
        }
    }

    [Fact]
    public void Only_a_folder_that_is_a_checkpoint_is_replaced()
    {
        var plan = new OutputPlan(IsFolder: true, [RunFolder.OneFile("model", RunFolder.Jobs())], [new("config.json", "{}"u8.ToArray(), null)], []);
        Directory.CreateDirectory(folder.Target);
        folder.Run(plan);
        Assert.EndsWith("exists; --force replaces it, or name another folder", Assert.Throws<QuantizationRefusedException>(() => folder.Run(plan)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder.Target, "stale"), "");
        folder.Run(plan, request => request with { Replace = true });
        Assert.Equal(["config.json", "model"], Directory.EnumerateFiles(folder.Target).Select(Path.GetFileName).Order());

        Directory.CreateDirectory(Path.Combine(folder.Target, "holiday photos"));
        Assert.EndsWith("holds something other than one checkpoint and is not replaced; name another folder",
            Assert.Throws<QuantizationRefusedException>(() => folder.Run(plan, request => request with { Replace = true })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_plan_of_memory_does_not_grow_with_the_number_of_tensors()
    {
        var small = RunPlan.Create(RunFolder.Plan(Matrices(4)), threads: 2, residentBytes: 0);
        var large = RunPlan.Create(RunFolder.Plan(Matrices(400)), threads: 2, residentBytes: 0);
        Assert.Equal(small.PeakBytes, large.PeakBytes);
        Assert.Equal(2 * 64 * 1024 * 2, small.OutputBytes);
        Assert.Equal(2 * 2 * 64 * 1024 * 4, small.PieceBytes);
        Assert.True(RunPlan.Create(RunFolder.Plan(Matrices(4)), threads: 8, residentBytes: 0).PeakBytes > small.PeakBytes);

        static FakeJob[] Matrices(int count) => [.. Enumerable.Range(0, count).Select(index => new FakeJob($"w{index}", 256, 256))];
    }

    [Fact]
    public void Of_large_tensors_only_one_is_in_memory()
    {
        var jobs = Enumerable.Range(0, 3).Select(index => new FakeJob($"w{index}", 100_000, 1024)).ToArray();
        Assert.Equal(204_800_000, RunPlan.Create(RunFolder.Plan(jobs), 2, 0).OutputBytes);
    }
}
