using Plimsoll.Quantization.Importance;

namespace Plimsoll.Cli.Tests.Calibrate;

public sealed class CalibrateCommandTests : IDisposable
{
    private static readonly string Demo = Path.Combine(Repository.Root, "demo", "calibration.txt");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("imatrix.gguf")]
    [InlineData("imatrix.dat")]
    public void An_importance_matrix_is_written_the_same_each_time_and_quantizes_the_model(string name)
    {
        var (first, second) = (At(name), At("again-" + name));
        var json = Run("calibrate", "demo", "--text", Demo, "--chunks", "3", "-o", first, "--json").Json;
        Run("calibrate", "demo", "--text", Demo, "--chunks", "3", "--threads", "1", "-o", second);
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        Assert.Equal(("plimsoll.calibration/1", 3, 256, 21), (json.GetProperty("schema").GetString(), json.GetProperty("chunks").GetInt32(), json.GetProperty("context").GetInt32(), json.GetProperty("tensors").GetArrayLength()));
        Assert.Equal(21, ImportanceFile.Read(first).Entries.Length);
        Run("quantize", "demo", "--to", "gguf:q2_k", "--imatrix", first, "-o", At("q2_k.gguf"));
    }

    [Fact]
    public void A_model_can_write_its_own_text()
    {
        Assert.StartsWith($"{At("self.gguf")}: 21 tensors, 2 chunks of 64 tokens", Run("calibrate", "demo", "--text", "self", "--chunks", "2", "--context", "64", "-o", At("self.gguf")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_is_too_short_is_refused_with_the_tokens_it_needs()
    {
        File.WriteAllText(At("short.txt"), "Once upon a time");
        var run = CommandRun.Of("calibrate", "demo", "--text", At("short.txt"), "-o", At("imatrix.gguf"));
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("a chunk of 256 is the least to calibrate with", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(At("imatrix.gguf")));
    }

    [Fact]
    public void A_missing_text_and_a_missing_folder_are_named()
    {
        var text = CommandRun.Of("calibrate", "demo", "--text", At("none.txt"), "-o", At("imatrix.gguf"));
        Assert.Equal((3, $"plimsoll: {At("none.txt")}: no such file"), (text.ExitCode, text.Error.Trim()));
        var output = CommandRun.Of("calibrate", "demo", "--text", "self", "-o", At("none/imatrix.gguf"));
        Assert.Equal(3, output.ExitCode);
        Assert.Contains("no such folder", output.Error, StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(folder.Path, name);

    private static CommandRun Run(params string[] args)
    {
        var run = CommandRun.Of(args);
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }
}
