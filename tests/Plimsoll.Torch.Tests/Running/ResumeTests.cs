using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Saving;

namespace Plimsoll.Torch.Tests.Running;

public class ResumeTests
{
    public static TheoryData<string, ComputeType, TrainingMethod> Runs => new()
    {
        { "adamw", ComputeType.Fp32, TrainingMethod.Full },
        { "adamw-8bit", ComputeType.Fp32, TrainingMethod.Full },
        { "adamw", ComputeType.Bf16, TrainingMethod.Full },
        { "lion", ComputeType.Fp16, TrainingMethod.Full },
        { "adafactor", ComputeType.Fp32, TrainingMethod.Lora },
        { "momentum", ComputeType.Fp32, TrainingMethod.Qlora },
    };

    /// <summary>The state is written and left behind as a killed run leaves it: nothing happens between the last checkpoint and the end.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void A_run_that_was_killed_goes_on_to_the_bit(string optimizer, ComputeType compute, TrainingMethod method)
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with
        {
            Optimizer = optimizer, Compute = compute, Method = method, Steps = 6, SaveEvery = 3, LearningRate = 1e-4, Accumulation = 2,
            Adapter = method == TrainingMethod.Full ? null : new(4, 8, ["all-linear"], Merge: false),
        };
        var whole = Losses(TrainingRunTests.Run(job with { Output = folder.File("whole") }));

        Assert.Throws<Killed>(() => Plimsoll.Torch.Running.TrainingRun.Execute(job, KillAfterFourSteps, CancellationToken.None));
        Assert.True(File.Exists(Path.Combine(job.Output, TrainingState.FileName)));
        var rest = TrainingRunTests.Run(job with { Resume = true });

        Assert.Equal(3, rest.OfType<TrainingStarted>().Single().Done);
        Assert.Equal(whole[3..], Losses(rest));
        foreach (var file in Directory.EnumerateFiles(folder.File("whole"), "*.safetensors"))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(job.Output, Path.GetFileName(file))));
        Assert.False(File.Exists(Path.Combine(job.Output, TrainingState.FileName)));
    }

    [Fact]
    public void An_interrupted_run_keeps_its_state()
    {
        using var folder = new TemporaryFolder();
        using var interruption = new CancellationTokenSource();
        var job = TrainingRunTests.Job(folder) with { Steps = 9, SaveEvery = 100 };

        Assert.Throws<OperationCanceledException>(() => Plimsoll.Torch.Running.TrainingRun.Execute(job, occurrence => { if (occurrence is TrainingStepped { Step: 2 }) interruption.Cancel(); }, interruption.Token));

        Assert.Equal(2, TrainingRunTests.Run(job with { Resume = true }).OfType<TrainingStarted>().Single().Done);
    }

    [Theory]
    [InlineData("seed was 5 and is 6")]
    [InlineData("model differs")]
    [InlineData("data differs")]
    [InlineData("no training-state.safetensors to go on from")]
    public void A_state_that_does_not_belong_is_refused_with_what_differs(string expected)
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Steps = 3, SaveEvery = 1 };
        Assert.Throws<Killed>(() => Plimsoll.Torch.Running.TrainingRun.Execute(job, KillAfterFirstSave, CancellationToken.None));
        job = job with { Resume = true };
        job = expected[..4] switch
        {
            "seed" => job with { Seed = 6 },
            "mode" => job with { Model = OtherModel(folder) },
            "data" => job with { Data = folder.Write("other.txt", File.ReadAllText(job.Data) + " ") },
            _ => job with { Output = folder.File("elsewhere") },
        };

        var failure = Assert.Throws<TrainingRefusedException>(() => TrainingRunTests.Run(job));

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.NotNull(failure.Hint);
    }

    [Fact]
    public void A_disk_that_is_full_leaves_the_last_state_whole()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no /dev/full to stand in for a full disk");
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Steps = 4, SaveEvery = 1 };
        var state = Path.Combine(job.Output, TrainingState.FileName);

        var failure = Assert.Throws<IOException>(() => Plimsoll.Torch.Running.TrainingRun.Execute(job, occurrence =>
        {
            if (occurrence is TrainingSaved { Step: 2 })
                File.CreateSymbolicLink(state + ".partial", "/dev/full");
        }, CancellationToken.None));

        Assert.Contains("No space left on device", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(state + ".partial"));
        Assert.Equal(2, TrainingRunTests.Run(job with { Resume = true }).OfType<TrainingStarted>().Single().Done);
    }

    private static List<double> Losses(IEnumerable<TrainingEvent> events) => [.. events.OfType<TrainingStepped>().Select(step => step.Loss)];

    private static void KillAfterFourSteps(TrainingEvent occurrence)
    {
        if (occurrence is TrainingStepped { Step: 4 })
            throw new Killed();
    }

    private static void KillAfterFirstSave(TrainingEvent occurrence)
    {
        if (occurrence is TrainingSaved)
            throw new Killed();
    }

    private static string OtherModel(TemporaryFolder folder)
    {
        foreach (var name in (string[])["config.json", "tokenizer.json", "tokenizer_config.json"])
            folder.Write($"other/{name}", File.ReadAllText(Path.Combine(Repository.Root, "demo", name)).Replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2", StringComparison.Ordinal));
        File.Copy(Path.Combine(Repository.Root, "demo/model.safetensors"), folder.File("other/model.safetensors"));
        return folder.File("other");
    }

    private sealed class Killed : Exception;
}
