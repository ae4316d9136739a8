using Plimsoll.Checkpoints;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Cli.Tests.Quantize;

public sealed class QuantizeCommandTests : IDisposable
{
    private readonly SmallModels models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public void A_GGUF_file_is_written_and_reported()
    {
        var output = models.Output("out.gguf");
        var run = CommandRun.Of("quantize", models.Gguf(), "--to", "q8_0", "-o", output);
        Assert.True(run.ExitCode == 0, run.Error);
        // Time, speed and memory differ from run to run.
        var lines = run.Output.ReplaceLineEndings("\n").Split('\n').Where(line => !line.Contains("weights/s", StringComparison.Ordinal) && !line.StartsWith("memory at most", StringComparison.Ordinal));
        Golden.Match("q8_0.txt", string.Join('\n', lines).Replace(output, "out.gguf", StringComparison.Ordinal));
        Assert.Contains("weights/s", run.Output, StringComparison.Ordinal);
        Assert.Contains("memory at most", run.Output, StringComparison.Ordinal);
        var written = Checkpoint.Open(output);
        Assert.Equal("Q8_0", written.Tensors.Single(tensor => tensor.Name == "blk.3.ffn_up.weight").Format.Name);
        Assert.Equal(["out.gguf", "tiny-f32.gguf"], Directory.EnumerateFileSystemEntries(models.Output(".")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void The_same_command_gives_the_same_bytes_with_any_number_of_threads()
    {
        var source = models.Gguf();
        Run(source, "--to", "q4_0", "--threads", "1", "-o", models.Output("one.gguf"));
        Run(source, "--to", "gguf:q4_0", "--threads", "5", "-o", models.Output("five.gguf"));
        Assert.Equal(File.ReadAllBytes(models.Output("one.gguf")), File.ReadAllBytes(models.Output("five.gguf")));
    }

    [Fact]
    public void A_folder_of_safetensors_is_written_with_its_configuration()
    {
        var output = models.Output("out");
        var json = Run(models.Folder(), "--to", "f32", "-o", output, "--json").Json;
        Assert.Equal(("plimsoll.quantize/1", output, "fp32", 32.0, 0.0), (json.GetProperty("schema").GetString(), json.GetProperty("output").GetString(), json.GetProperty("format").GetString(),
            json.GetProperty("bits_per_weight").GetDouble(), json.GetProperty("relative_error").GetDouble()));
        Assert.True(File.Exists(Path.Combine(output, "config.json")));
        Assert.All(Checkpoint.Open(output).Tensors, tensor => Assert.Equal(NumberFormats.Fp32, tensor.Format));
    }

    /// <summary>The names of the documentation lead to checkpoints that the inspector knows by the same names.</summary>
    [Theory]
    [InlineData("gptq:4bit-g128", "gptq:4bit-g128")]
    [InlineData("gptq-v2:4bit-g128", "gptq:4bit-g128")]
    [InlineData("awq:4bit-g128", "awq:4bit-g128")]
    [InlineData("nf4", "nf4")]
    [InlineData("fp4", "fp4")]
    [InlineData("int8", "int8")]
    [InlineData("fp8", "fp8")]
    [InlineData("fp8-block", "fp8")]
    [InlineData("ct:w4a16-g128", "ct:w4a16-g128")]
    [InlineData("ct:w8a16", "ct:w8a16")]
    [InlineData("ct:w8a8", "w8a8")]
    [InlineData("ct:fp8", "fp8")]
    [InlineData("nvfp4", "nvfp4")]
    [InlineData("mxfp4", "mxfp4")]
    public void Every_format_of_the_documentation_is_written_and_recognized(string format, string precision)
    {
        Run(models.Folder(), "--to", format, "-o", models.Output("out"));
        var inspection = CommandRun.Of("inspect", models.Output("out"), "--check", "--json");
        Assert.True(inspection.ExitCode == 0, inspection.Output);
        Assert.Contains(precision, inspection.Json.GetProperty("precision").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Error_feedback_writes_the_types_of_an_importance_matrix_and_the_same_bytes_each_time()
    {
        var text = Path.Combine(Repository.Root, "demo", "calibration.txt");
        Run("demo", "--to", "q4_k_s", "--method", "gptq", "--calibration", text, "--chunks", "2", "--threads", "1", "-o", models.Output("one.gguf"));
        Run("demo", "--to", "q4_k_s", "--method", "gptq", "--calibration", text, "--chunks", "2", "--threads", "3", "-o", models.Output("three.gguf"));
        Run("demo", "--to", "q4_k_s", "-o", models.Output("plain.gguf"));
        Assert.Equal(File.ReadAllBytes(models.Output("one.gguf")), File.ReadAllBytes(models.Output("three.gguf")));
        Assert.Equal(Types("plain.gguf"), Types("one.gguf"));

        IEnumerable<(string, string)> Types(string name) => Checkpoint.Open(models.Output(name)).Tensors.Select(tensor => (tensor.Name, tensor.Format.Name));
    }

    [Theory]
    [InlineData("gptq:4bit-g64", "gptq")]
    [InlineData("awq:4bit-g64", "awq")]
    [InlineData("ct:w4a16-g64", "awq-gptq")]
    [InlineData("ct:w8a8", "smoothquant")]
    public void Methods_write_folders_in_the_layout_of_plain_rounding_and_the_same_bytes_each_time(string format, string method)
    {
        var text = Path.Combine(Repository.Root, "demo", "calibration.txt");
        Run("demo", "--to", format, "--method", method, "--calibration", text, "--chunks", "1", "--threads", "1", "-o", models.Output("one"));
        Run("demo", "--to", format, "--method", method, "--calibration", text, "--chunks", "1", "--threads", "3", "-o", models.Output("three"));
        Run("demo", "--to", format, "-o", models.Output("plain"));
        Assert.Equal(File.ReadAllBytes(models.Output("one/model.safetensors")), File.ReadAllBytes(models.Output("three/model.safetensors")));
        Assert.NotEqual(File.ReadAllBytes(models.Output("one/model.safetensors")), File.ReadAllBytes(models.Output("plain/model.safetensors")));
        Assert.Equal(Shapes("plain"), Shapes("one"));

        IEnumerable<string> Shapes(string name) => Checkpoint.Open(models.Output(name)).Tensors.Select(tensor => $"{tensor.Name} {tensor.Format.Name} {string.Join(" x ", tensor.Dimensions)}");
    }

    [Theory]
    [InlineData("nf4", "gptq", "nf4 has no integers to choose")]
    [InlineData("fp8:channel", "awq", "fp8:channel has no integers to choose")]
    [InlineData("bf16", "awq-gptq", "bf16 has no integers to choose")]
    [InlineData("awq:4bit-g128", "smoothquant", "activations of awq:4bit-g128 stay as they are")]
    public void Methods_that_have_nothing_to_choose_in_a_format_are_refused(string format, string method, string reason)
    {
        var run = CommandRun.Of("quantize", "demo", "--to", format, "--method", method, "--calibration", "self", "-o", models.Output("out"));
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith($"plimsoll: --method {method} does not apply because {reason}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--method gptq", 2, "--method gptq learns from a text, and there is none")]
    [InlineData("--calibration self", 2, "--calibration is for --method gptq, --method awq, --method awq-gptq, --method smoothquant and --target")]
    [InlineData("--chunks 3", 2, "--chunks cuts the text of --calibration, and there is none")]
    [InlineData("--context 64 --imatrix i.gguf", 2, "--context cuts the text of --calibration, and there is none")]
    [InlineData("--method gptq --calibration none.txt", 3, "none.txt: no such file")]
    [InlineData("--method awq --calibration self", 2, "--method awq is for the integers of folders of safetensors, and gguf:q4_0 has blocks of its own")]
    [InlineData("--method magic", 2, "unknown method 'magic'")]
    public void Methods_and_texts_that_do_not_go_together_are_refused(string options, int exitCode, string message)
    {
        var run = CommandRun.Of(["quantize", "demo", "--to", "q4_0", "-o", models.Output("out.gguf"), .. options.Split(' ')]);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.StartsWith($"plimsoll: {message}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_size_is_met_with_types_that_lose_less_than_the_standard_mixture()
    {
        var json = Run("demo", "--to", "gguf", "--target", "4.5bpw", "--calibration", Path.Combine(Repository.Root, "demo", "calibration.txt"), "--chunks", "4", "-o", models.Output("out.gguf"), "--json").Json;
        var allocation = json.GetProperty("allocation");
        var (own, standard) = (Expected(allocation), Expected(allocation.GetProperty("standard")));
        Assert.InRange(json.GetProperty("bits_per_weight").GetDouble(), 4.45, 4.5);
        Assert.InRange(own / standard, 0, 0.6);
        Assert.InRange(allocation.GetProperty("kl_divergence").GetDouble(), own / 4, 4 * own);
        Assert.Equal(22, allocation.GetProperty("tensors").GetArrayLength());

        static double Expected(System.Text.Json.JsonElement line) => line.GetProperty("expected_kl_divergence").GetDouble();
    }

    [Fact]
    public void A_size_in_bytes_is_not_exceeded_and_the_report_says_which_tensors_paid()
    {
        var run = Run("demo", "--to", "gguf", "--target-size", "700kB", "--method", "gptq", "--calibration", "self", "--chunks", "2", "--context", "64", "-o", models.Output("out.gguf"));
        Assert.InRange(new FileInfo(models.Output("out.gguf")).Length, 690_000, 700_000);
        Assert.Contains("share of loss", run.Output, StringComparison.Ordinal);
        Assert.Contains("the best standard mixture of no more bytes", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--to gguf --target 1.5bpw --calibration self --chunks 1 --context 16", "--target 1.5bpw is below the smallest file, which has 2.153 bits per weight")]
    [InlineData("--to gguf --target-size 100kB --calibration self --chunks 1 --context 16", "--target-size 100000 is below the smallest file, which has")]
    [InlineData("--to gguf --target much --calibration self", "--target takes bits per weight up to 16, such as 4.5bpw, not 'much'")]
    [InlineData("--to gguf --target 4bpw --target-size 1MB --calibration self", "--target and --target-size both say how large the file is to be")]
    [InlineData("--to gguf --target 4bpw", "--target 4bpw measures the tensors on a text, and there is none")]
    [InlineData("--to gguf --target 4bpw --calibration self --pure", "--pure does not apply to types that are chosen one by one")]
    [InlineData("--to q4_0 --target 4bpw --calibration self", "--target 4bpw chooses the types itself, and q4_0 names them")]
    [InlineData("--to gguf", "--to gguf says neither types nor size")]
    public void Sizes_that_cannot_be_met_or_contradict_other_options_are_refused(string options, string message)
    {
        var run = CommandRun.Of(["quantize", "demo", "-o", models.Output("out.gguf"), .. options.Split(' ')]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"plimsoll: {message}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Products_that_do_not_fit_memory_are_refused_before_the_text_is_run()
    {
        var run = CommandRun.Of(environment => environment with { AvailableMemory = () => 1 << 20 }, "quantize", "demo", "--to", "q4_0", "--method", "gptq", "--calibration", "self", "--chunks", "1", "--context", "8", "-o", models.Output("out.gguf"));
        Assert.Equal(4, run.ExitCode);
        Assert.StartsWith("plimsoll: the text goes through the layers in", run.Error[run.Error.IndexOf("plimsoll: the", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public void The_ending_of_the_output_decides_between_a_folder_and_a_GGUF_file()
    {
        Assert.Equal("gguf:f16", Run(models.Gguf(), "--to", "f16", "-o", models.Output("out.gguf"), "--json").Json.GetProperty("format").GetString());
        Assert.Equal("fp16", Run(models.Folder(), "--to", "f16", "-o", models.Output("folder"), "--json").Json.GetProperty("format").GetString());
    }

    [Fact]
    public void Types_of_single_tensors_go_before_the_mixture()
    {
        Run(models.Gguf(), "--to", "q8_0", "--tensor-type", "attn_v=f16", "--tensor-type", "attn_=q5_0", "--output-type", "f32", "-o", models.Output("out.gguf"));
        var types = Checkpoint.Open(models.Output("out.gguf")).Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Format.Name);
        Assert.Equal(("FP16", "Q5_0", "FP32", "Q8_0"), (types["blk.0.attn_v.weight"], types["blk.0.attn_k.weight"], types["output.weight"], types["blk.0.ffn_up.weight"]));
    }

    [Fact]
    public void A_memory_plan_writes_nothing_and_its_lines_add_up()
    {
        var run = Run(models.Gguf(), "--to", "q8_0", "-o", models.Output("out.gguf"), "--memory-plan", "--json", "--threads", "3");
        var (json, sum) = (run.Json, 0L);
        foreach (var part in (string[])["resident_bytes", "output_buffer_bytes", "piece_bytes", "runtime_bytes"])
            sum += json.GetProperty(part).GetInt64();
        Assert.Equal(sum, json.GetProperty("planned_peak_bytes").GetInt64());
        Assert.Equal(3, json.GetProperty("threads").GetInt32());
        Assert.False(File.Exists(models.Output("out.gguf")));
        Assert.Contains("peak memory", Run(models.Gguf(), "--to", "q8_0", "-o", models.Output("out.gguf"), "--memory-plan").Output, StringComparison.Ordinal);
        Run(models.Gguf(), "--to", "q8_0", "-o", models.Output("out.gguf"));
        Assert.Equal(new FileInfo(models.Output("out.gguf")).Length, json.GetProperty("disk_bytes").GetInt64());
    }

    [Fact]
    public void An_output_that_exists_is_kept_unless_force_is_given()
    {
        var source = models.Gguf();
        File.WriteAllText(models.Output("out.gguf"), "precious");
        AssertFails(2, "exists; --force replaces it", source, "--to", "q8_0", "-o", models.Output("out.gguf"));
        Assert.Equal("precious", File.ReadAllText(models.Output("out.gguf")));
        Run(source, "--to", "q8_0", "--force", "-o", models.Output("out.gguf"));
        AssertFails(2, "is the file that is read", source, "--to", "q8_0", "--force", "-o", source);
    }

    [Fact]
    public void A_quantized_source_needs_a_word()
    {
        Run(models.Gguf(), "--to", "q8_0", "-o", models.Output("q8.gguf"));
        AssertFails(2, "--requantize", models.Output("q8.gguf"), "--to", "q4_0", "-o", models.Output("q4.gguf"));
        Run(models.Output("q8.gguf"), "--to", "q4_0", "--requantize", "-o", models.Output("q4.gguf"));
    }

    [Fact]
    public void A_weight_that_is_NaN_is_named_and_can_be_allowed()
    {
        var source = SmallModels.Spoil(models.Gguf(), "blk.2.ffn_up.weight", 65, float.NaN);
        var run = AssertFails(3, "blk.2.ffn_up.weight[2, 1] is NaN", source, "--to", "q8_0", "-o", models.Output("out.gguf"));
        Assert.Contains("--allow-nonfinite reads it as 0", run.Error, StringComparison.Ordinal);
        Assert.Contains("--resume goes on from there", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(models.Output("out.gguf")));
        var json = Run(source, "--to", "q8_0", "--allow-nonfinite", "--resume", "-o", models.Output("out.gguf"), "--json").Json;
        Assert.Equal(1, json.GetProperty("non_finite").GetInt64());
        Assert.True(json.GetProperty("resumed_tensors").GetInt32() > 0);
    }

    [Fact]
    public void A_disk_that_is_too_small_is_a_matter_of_the_environment()
    {
        var run = CommandRun.Of(environment => environment with { Disk = new SmallDisk() }, "quantize", models.Gguf(), "--to", "q8_0", "-o", models.Output("out.gguf"));
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("has 10 B (10 B) free and the output takes", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interruption_ends_with_130_and_leaves_no_output()
    {
        using var interruption = new CancellationTokenSource();
        interruption.Cancel();
        var run = CommandRun.Of(environment => environment with { Interrupted = interruption.Token }, "quantize", models.Gguf(), "--to", "q8_0", "-o", models.Output("out.gguf"));
        Assert.Equal((130, "plimsoll: interrupted"), (run.ExitCode, run.Error.Trim()));
        Assert.Equal(["tiny-f32.gguf"], Directory.EnumerateFileSystemEntries(models.Output(".")).Select(Path.GetFileName));
    }

    [Fact]
    public void A_file_that_is_cut_is_named()
    {
        var bytes = File.ReadAllBytes(models.Gguf());
        AssertFails(3, "cut.gguf", models.Write("cut.gguf", bytes[..^100]), "--to", "q8_0", "-o", models.Output("out.gguf"));
    }

    [Theory]
    [InlineData(3, "no such file or folder", "./nothing.gguf", "--to", "q8_0", "-o", "out.gguf")]
    [InlineData(2, "the weights of 'llama-3.1-8b' are not on this machine", "llama-3.1-8b", "--to", "q8_0", "-o", "out.gguf")]
    [InlineData(2, "unknown format 'q4_k_x'", "MODEL", "--to", "q4_k_x", "-o", "out.gguf")]
    [InlineData(2, "gguf:q4_k_s", "MODEL", "--to", "gguf:q4_k_x", "-o", "out.gguf")]
    [InlineData(2, "'out' does not end in .gguf", "MODEL", "--to", "q8_0", "-o", "out")]
    [InlineData(2, "'out.gguf' is named like a GGUF file", "MODEL", "--to", "nf4", "-o", "out.gguf")]
    [InlineData(2, "because", "FOLDER", "--to", "gptq:4bit", "--group-size", "7", "-o", "out")]
    [InlineData(2, "--pure does not apply to fp32", "MODEL", "--to", "f32", "--pure", "-o", "out")]
    [InlineData(2, "--group-size does not apply to a GGUF file", "MODEL", "--to", "q8_0", "--group-size", "32", "-o", "out.gguf")]
    [InlineData(2, "--threads takes a whole number from 1 to 1024, not '0'", "MODEL", "--to", "q8_0", "--threads", "0", "-o", "out.gguf")]
    [InlineData(2, "--split-size takes a size of at least 1.00 MB, such as 2GB or 500MiB, not '1'", "MODEL", "--to", "q8_0", "--split-size", "1", "-o", "out.gguf")]
    [InlineData(2, "names a group size already", "MODEL", "--to", "gptq:4bit-g128", "--group-size", "32", "-o", "out")]
    [InlineData(2, "unknown method 'magic'", "MODEL", "--to", "q8_0", "--method", "magic", "-o", "out.gguf")]
    [InlineData(2, "unknown search 'worst'", "MODEL", "--to", "q8_0", "--search", "worst", "-o", "out.gguf")]
    [InlineData(2, "'blk' is no tensor type; write REGEX=TYPE", "MODEL", "--to", "q8_0", "--tensor-type", "blk", "-o", "out.gguf")]
    [InlineData(2, "'q9' is no tensor type of a GGUF file", "MODEL", "--to", "q8_0", "--output-type", "q9", "-o", "out.gguf")]
    [InlineData(2, "Option '--output' is required", "MODEL", "--to", "q8_0")]
    [InlineData(2, "Option '--to' is required", "MODEL", "-o", "out.gguf")]
    [InlineData(3, "nothing.dat: no such file", "MODEL", "--to", "q8_0", "--imatrix", "nothing.dat", "-o", "out.gguf")]
    [InlineData(3, "expected a GGUF file of the type 'imatrix'", "MODEL", "--to", "q8_0", "--imatrix", "MODEL", "-o", "out.gguf")]
    [InlineData(4, "takes no new folder", "MODEL", "--to", "q8_0", "-o", "/proc/self/out.gguf")]
    public void Mistakes_are_named(int exitCode, string message, params string[] args)
    {
        var (file, model) = (models.Gguf(), models.Folder());
        AssertFails(exitCode, message, [.. args.Select(arg => arg switch { "MODEL" => file, "FOLDER" => model, _ => arg })]);
    }

    private static CommandRun Run(params string[] args)
    {
        var run = CommandRun.Of(["quantize", .. args]);
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }

    private static CommandRun AssertFails(int exitCode, string message, params string[] args)
    {
        var run = CommandRun.Of(["quantize", .. args]);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
        return run;
    }

    private sealed class SmallDisk : OutputDisk
    {
        public override long FreeBytes(string folder) => 10;
    }
}
