using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Native;
using Plimsoll.Torch.Running;

namespace Plimsoll.Torch.Tests.Running;

public class TrainingRunTests
{
    [Fact]
    public void The_demo_model_learns_and_is_written_as_a_folder()
    {
        using var folder = new TemporaryFolder();
        var text = folder.Write("data.txt", "The Northern Light sailed for Lisbon with nine crates of tea, and nine more crates of tea were waiting there for her.");
        var events = Run(Job(folder) with { Data = text, MicroBatch = 1, Steps = 6 });

        var losses = events.OfType<TrainingStepped>().Select(step => step.Loss).ToList();
        Assert.Equal(6, losses.Count);
        Assert.True(losses[^1] < losses[0] / 2, $"the loss went from {losses[0]} to {losses[^1]}");
        Assert.Equal(["load", "forward", "backward", "optimizer step"], events.OfType<TrainingFinished>().Single().Phases.Select(phase => phase.Name));
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"], Directory.EnumerateFiles(folder.File("out")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Training_from_nothing_needs_a_configuration_alone()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["config.json", "tokenizer.json", "tokenizer_config.json"])
            File.Copy(Path.Combine(Repository.Root, "demo", name), folder.File(name));
        var job = Job(folder) with { Model = folder.Path, Steps = 2 };

        var refused = Assert.Throws<TrainingRefusedException>(() => Run(job));
        Assert.Contains("--init", refused.Hint, StringComparison.Ordinal);

        var loss = Run(job with { Initialize = true }).OfType<TrainingStepped>().First().Loss;
        Assert.Equal(Math.Log(512), loss, 0.15);
    }

    [Fact]
    public void A_CUDA_device_that_is_not_there_is_said_to_be_missing()
    {
        Assert.SkipWhen(TorchSharp.torch.cuda.is_available(), "this machine has a CUDA device, and libtorch knows it");
        using var folder = new TemporaryFolder();
        var failure = Assert.Throws<TorchUnavailableException>(() => Run(Job(folder) with { Device = TrainingDevice.Cuda }));
        Assert.Contains("--libtorch", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_is_no_number_any_more_ends_the_run_with_a_way_out()
    {
        using var folder = new TemporaryFolder();
        var failure = Assert.Throws<TrainingRefusedException>(() => Run(Job(folder) with { Steps = 30, LearningRate = 1e30, Clip = 0 }));
        Assert.Contains("no finite number", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--learning-rate", failure.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\": 3}\n", "line 1")]
    [InlineData("{\"text\": \"a\"}\n{\"prompt\": \"b\"}\n", "line 2")]
    [InlineData("{\"text\": \"a\"\n", "not JSON")]
    [InlineData("\n", "no text")]
    [InlineData("{\"text\": \"a few words\"}\n", "fill no row")]
    public void Data_that_cannot_be_used_are_refused_with_their_place(string lines, string expected)
    {
        using var folder = new TemporaryFolder();
        var failure = Assert.Throws<TrainingRefusedException>(() => Run(Job(folder) with { Data = folder.Write("data.jsonl", lines) }));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    internal static TrainingJob Job(TemporaryFolder folder) => new()
    {
        Model = Path.Combine(Repository.Root, "demo"), Data = Path.Combine(Repository.Root, "demo", "calibration.txt"), Output = folder.File("out"),
        SequenceLength = 32, MicroBatch = 2, Threads = 1, Seed = 5, LearningRate = 1e-3,
    };

    internal static List<TrainingEvent> Run(TrainingJob job, CancellationToken cancellation = default)
    {
        var events = new List<TrainingEvent>();
        TrainingRun.Execute(job, events.Add, cancellation);
        return events;
    }
}
