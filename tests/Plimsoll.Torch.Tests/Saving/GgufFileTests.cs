using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.Running;
using Plimsoll.Runtime;
using Plimsoll.Torch.Tests.Running;

namespace Plimsoll.Torch.Tests.Saving;

public class GgufFileTests
{
    [Fact]
    public void A_model_from_a_GGUF_file_is_trained_and_written_as_one()
    {
        using var folder = new TemporaryFolder();
        var source = folder.File("demo-f16.gguf");
        var plan = GgufConversion.Plan(ModelLocator.FromPath(Path.Combine(Repository.Root, "demo")), new() { FileName = "demo-f16.gguf", FileType = GgufFileType.Find("f16")! });
        QuantizationRunner.Run(plan, new() { Target = source, Recipe = "f16", SourceFiles = [], Threads = 1 }, CancellationToken.None);

        TrainingRunTests.Run(TrainingRunTests.Job(folder) with { Model = source, Steps = 1, LearningRate = 1e-9 });

        var (before, after) = (Logits(source), Logits(folder.File("out/model.gguf")));
        Assert.True(before.Max() - before.Min() > 5);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
    }

    private static float[] Logits(string path)
    {
        using var model = TransformerModel.Load(path);
        using var session = model.CreateSession(new() { Context = 8, KeyValueFormat = NumberFormats.Fp32 });
        var logits = new float[session.VocabularySize];
        session.Forward([511, 40, 41, 42], logits);
        return logits;
    }
}
