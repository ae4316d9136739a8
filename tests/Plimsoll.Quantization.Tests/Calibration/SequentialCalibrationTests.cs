using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Models.Demo;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.Calibration.Sequential;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.Running;
using Plimsoll.Quantization.Tests.Gguf;
using Plimsoll.Runtime;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.Calibration;

public sealed class SequentialCalibrationTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LocatedModel demo;
    private readonly CalibrationText text;

    public SequentialCalibrationTests()
    {
        var path = DemoModel.Unpack(folder.Path);
        demo = ModelLocator.FromPath(path);
        var tokenizer = Tokenizer.Load(path);
        text = new("text", tokenizer.Encode(File.ReadAllText(Path.Combine(path, DemoModel.CalibrationText))).AsMemory(0, 2 * 256), 256, tokenizer.Vocabulary.Special.Bos);
    }

    public void Dispose() => folder.Dispose();

    /// <summary>Queries and keys of the folder lie in another order in the file: were rounded rows put back where they lie in the file, nothing behind them would be alike.</summary>
    [Fact]
    public void A_layer_is_given_what_the_layers_before_it_give_as_they_are_written()
    {
        var given = new Dictionary<string, float[]>(StringComparer.Ordinal);
        string written;
        using (var calibration = Calibration())
        {
            var sources = GgufConversion.Read(demo, Recipe("q2_k.gguf", "q2_k", calibration)).Tensors.ToDictionary(source => source.Tensor.Name);
            var plan = GgufConversion.Plan(demo, Recipe("q2_k.gguf", "q2_k", calibration));
            written = PlanFiles.Write(plan, folder.Path, rowsAtOnce: 64, prepared: job =>
            {
                if (job.IsFollowed)
                    given[job.Name] = calibration.InputsOf(sources[job.Name]).Importance.ToArray();
            }).Single();
        }
        var (before, after) = (MeanSquares(demo), MeanSquares(ModelLocator.FromPath(written)));
        Assert.Equal(21, given.Count);
        Assert.All(given, tensor =>
        {
            var (unrounded, rounded) = (Distance(before(tensor.Key), tensor.Value), Distance(after(tensor.Key), tensor.Value));
            Assert.InRange(rounded, 0, 0.02);
            if (tensor.Key.StartsWith("blk.2.", StringComparison.Ordinal))
                Assert.True(unrounded > 2 * rounded, $"{tensor.Key}: {unrounded} and {rounded}");
        });
    }

    [Theory]
    [InlineData("blk.0.attn_output.weight")]
    [InlineData("blk.1.ffn_down.weight")]
    public void A_run_that_ended_within_a_layer_goes_on_and_ends_with_the_same_bytes(string last)
    {
        var whole = Run("whole.gguf", resume: false, CancellationToken.None);
        using var end = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Run("cut.gguf", resume: false, end.Token, name =>
        {
            if (name == last)
                end.Cancel();
        }));
        var report = Run("cut.gguf", resume: true, CancellationToken.None);
        Assert.InRange(report.ResumedTensors, 8, 28);
        Assert.Equal(File.ReadAllBytes(whole.Files[0]), File.ReadAllBytes(report.Files[0]));
    }

    [Fact]
    public void Experts_that_no_token_reached_are_named_and_rounded_to_nearest()
    {
        var model = ModelLocator.FromPath(folder.Write("moe.gguf", TinyModels.Create("qwen3moe").File()));
        using var calibration = new SequentialCalibration(model, new("text", new[] { 3, 4, 3, 4 }, 4, null), 1, folder.Path, CancellationToken.None);
        var plan = GgufConversion.Plan(model, Recipe("q8_0.gguf", "q8_0", calibration));
        PlanFiles.Write(plan, folder.Path);
        Assert.Contains(calibration.Notes, note => note.Contains("ffn_down_exps.weight are rounded to nearest, number", StringComparison.Ordinal));
    }

    [Fact]
    public void Hidden_states_are_the_same_from_memory_and_from_a_file_that_is_gone_afterwards()
    {
        float[] chunk = [1, 2, 3, 4];
        var files = Directory.GetFiles(folder.Path).Length;
        foreach (var most in new[] { 0L, 1 << 20 })
        {
            using var states = new HiddenStates(3, 4, folder.Path, most);
            states.Write(2, chunk);
            var read = new float[4];
            states.Read(2, read);
            Assert.Equal(chunk, read);
        }
        Assert.Equal(files, Directory.GetFiles(folder.Path).Length);
    }

    private QuantizationReport Run(string name, bool resume, CancellationToken cancellation, Action<string>? progress = null)
    {
        using var calibration = new SequentialCalibration(demo, text, 2, folder.Path, cancellation);
        return QuantizationRunner.Run(GgufConversion.Plan(demo, Recipe(name, "q4_0", calibration)), new()
        {
            Target = folder.File(name), Recipe = "sequential", SourceFiles = demo.Checkpoint!.Files, Threads = 2, Resume = resume, Progress = (_, tensor) => progress?.Invoke(tensor),
        }, cancellation);
    }

    private SequentialCalibration Calibration() => new(demo, text, 2, folder.Path, CancellationToken.None);

    private static GgufRecipe Recipe(string name, string type, SequentialCalibration calibration) => new() { FileName = name, FileType = GgufFileType.Find(type)!, Sequential = calibration };

    /// <summary>What a model gives its own layers, by the names of GGUF files.</summary>
    private Func<string, float[]> MeanSquares(LocatedModel located)
    {
        using var model = TransformerModel.Load(located);
        var collector = new InputCollector(keepsGrams: false, threads: 2);
        using var session = model.CreateSession(new() { Context = text.Context, Observer = collector });
        text.Run(session, withHead: false, _ => { }, CancellationToken.None);
        var entries = CalibratedTensors.Find(located, collector).ToImportance(text).Entries.ToDictionary(entry => entry.Name, entry => entry.MeanSquares());
        return name => entries[name];
    }

    private static double Distance(float[] expected, float[] actual) => expected.Zip(actual, (left, right) => Math.Abs(left - right)).Sum() / expected.Sum();
}
