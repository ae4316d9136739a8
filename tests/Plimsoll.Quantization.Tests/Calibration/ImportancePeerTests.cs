using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Models.Demo;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.Importance;
using Plimsoll.Quantization.Tests.Gguf;
using Plimsoll.Runtime;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Calibration;

/// <summary>Importance matrices from our runtime beside what llama.cpp v0.5.0 multiplies its matrices with, for the same file and text.</summary>
public sealed class ImportancePeerTests
{
    private const int Context = 128;
    private const int Chunks = 4;

    [Theory]
    [InlineData("models/stories260k/stories260K-f32.gguf")]
    [InlineData("models/stories260k/stories260K-F16.gguf")]
    [InlineData("models/babyllama-tok105/babyllama-tok105-f32.gguf")]
    public void The_sums_of_a_trained_model_are_those_of_llama_cpp_within_one_percent(string file)
    {
        var path = SharedData.Require(file);
        var text = Text(path, File.ReadAllText(SharedData.Require("text/tinystories_train_clean.txt"))[..8000]);
        AssertSame(Collect(path, text), LlamaInputs.Collect(path, Sequences(text)));
    }

    [Fact]
    public void A_folder_gives_the_names_and_sums_that_llama_cpp_has_for_its_GGUF_file()
    {
        using var folder = new TemporaryFolder();
        var demo = DemoModel.Unpack(folder.Path);
        var gguf = PlanFiles.Write(Quantization.Gguf.GgufConversion.Plan(ModelLocator.FromPath(demo), new() { FileName = "f32.gguf", FileType = Checkpoints.Gguf.GgufFileType.Find("f32")! }), folder.Path).Single();
        var text = Text(demo, File.ReadAllText(Path.Combine(demo, DemoModel.CalibrationText)));
        AssertSame(Collect(demo, text), LlamaInputs.Collect(gguf, Sequences(text)));
    }

    private static void AssertSame(ImportanceMatrix ours, IReadOnlyDictionary<string, (double[] Squares, long Count)> theirs)
    {
        Assert.Equal(theirs.Keys.Order(), ours.Entries.Select(entry => entry.Name).Order());
        Assert.All(ours.Entries, entry =>
        {
            var (squares, count) = theirs[entry.Name];
            Assert.Equal([count], entry.Counts);
            var difference = squares.Zip(entry.Sums, (left, right) => Math.Abs(left - right)).Sum() / squares.Sum();
            Assert.InRange(difference, 0, 0.01);
        });
    }

    private static CalibrationText Text(string model, string text)
    {
        var tokenizer = Tokenizer.Load(model);
        return new("text", tokenizer.Encode(text).AsMemory(0, Chunks * Context), Context, tokenizer.Vocabulary.AddBos ? tokenizer.Vocabulary.Special.Bos : null);
    }

    private static List<int[]> Sequences(CalibrationText text) => [.. Enumerable.Range(0, text.Chunks).Select(chunk =>
    {
        var tokens = text.Tokens.Slice(chunk * text.Context, text.Context).ToArray();
        tokens[0] = text.Bos ?? tokens[0];
        return tokens;
    })];

    private static ImportanceMatrix Collect(string path, CalibrationText text)
    {
        using var model = TransformerModel.Load(path);
        var collector = new InputCollector(keepsGrams: false, threads: 2);
        using var session = model.CreateSession(new() { Context = text.Context, Observer = collector });
        text.Run(session, withHead: false, _ => { }, CancellationToken.None);
        return CalibratedTensors.Find(ModelLocator.FromPath(path), collector).ToImportance(text);
    }
}
