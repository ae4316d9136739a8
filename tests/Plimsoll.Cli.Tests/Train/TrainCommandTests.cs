using System.Text.Json;

namespace Plimsoll.Cli.Tests.Train;

/// <summary>What <c>train</c> does by itself; the program that trains is a script here, its own tests are in <c>Plimsoll.Torch.Tests</c>.</summary>
public class TrainCommandTests
{
    private const string Played = """
        {"event":"started","parameters":1312512,"trained":1312512,"rows":4,"validation_rows":1,"tokens":1024,"steps":2,"done":0}
        a library says something
        {"event":"step","step":1,"loss":1.5,"learning_rate":0.0001,"gradient_norm":0.5,"tokens_per_second":512,"resident_bytes":300000000,"live_bytes":90000000,"live_tensors":89}
        {"event":"step","step":2,"loss":1.25,"learning_rate":0.00005,"gradient_norm":null,"tokens_per_second":640,"resident_bytes":300000000,"live_bytes":90000000,"live_tensors":89}
        {"event":"validated","step":2,"loss":1.375}
        {"event":"finished","output":"/somewhere","steps":2,"loss":1.375,"validation_loss":1.375,"seconds":4,"phases":[{"name":"load","peak_bytes":180000000},{"name":"forward","peak_bytes":250000000},{"name":"backward","peak_bytes":260000000},{"name":"optimizer step","peak_bytes":240000000}]}
        """;

    private static readonly string Demo = Path.Combine(Repository.Root, "demo");
    private static readonly string Text = Path.Combine(Demo, "calibration.txt");

    [Fact]
    public void Without_the_program_that_trains_the_one_command_that_gets_it_is_said()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["train", Demo, "--data", Text, "-o", folder.File("out")];
        var run = CommandRun.Of(arguments);

        Assert.Equal(ExitCode.Environment, run.ExitCode);
        Assert.Contains("training is done by plimsoll-torch, which is not installed", run.Error, StringComparison.Ordinal);
        Assert.Contains("dotnet tool install --global Plimsoll.Torch", run.Error, StringComparison.Ordinal);

        folder.Write("Plimsoll.slnx", "");
        var inSources = CommandRun.Of(environment => environment with { ProgramFolder = folder.File("artifacts/bin") }, arguments);
        Assert.Contains($"dotnet build -c Release {folder.File("src/Plimsoll.Torch")}", inSources.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no such file", "--data", "nowhere.txt")]
    [InlineData("longer than the 256", "--context", "300")]
    [InlineData("--learning-rate takes a positive number, not -1", "--learning-rate", "-1")]
    [InlineData("--validation takes a number from 0 to below 1, not 1", "--validation", "1")]
    [InlineData("--rank describes adapters", "--rank", "4")]
    [InlineData("is the model itself", "-o", "DEMO")]
    public void A_setting_that_makes_no_sense_is_named_with_its_value(string expected, string option, string value)
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of(
        [
            "train", Demo, option, value == "DEMO" ? Demo : value,
            .. option == "--data" ? (string[])[] : ["--data", Text], .. option == "-o" ? (string[])[] : ["-o", folder.File("out")],
        ]);
        Assert.True(run.ExitCode is ExitCode.WrongUsage or ExitCode.BadInput, $"{run.ExitCode}: {run.Error}");
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("choose from down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj", "--lora-targets", "w_pack")]
    [InlineData("a rank of 200 is larger than the matrix", "--rank", "200")]
    public void Adapters_that_cannot_be_are_refused_with_what_can(string expected, string option, string value)
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("train", Demo, "--data", Text, "-o", folder.File("out"), "--method", "lora", option, value);
        Assert.Equal(ExitCode.WrongUsage, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_does_not_fit_is_refused_with_the_levers_unless_it_is_forced()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["train", Demo, "--data", Text, "-o", folder.File("out"), "--batch", "4"];
        var run = CommandRun.Of(environment => environment with { AvailableMemory = () => 1 << 20 }, arguments);

        Assert.Equal(ExitCode.Environment, run.ExitCode);
        Assert.Contains("1.00 MiB are free", run.Error, StringComparison.Ordinal);
        Assert.Contains("--checkpointing full, --batch 1 --accumulate 4, --optimizer adamw-8bit, --method lora or qlora", run.Error, StringComparison.Ordinal);
        Assert.Contains("--force trains anyway", run.Error, StringComparison.Ordinal);

        var forced = CommandRun.Of(environment => environment with { AvailableMemory = () => 1 << 20 }, [.. arguments, "--force"]);
        Assert.Contains("plimsoll-torch, which is not installed", forced.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_plan_alone_names_its_trainer()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("train", Demo, "--data", Text, "-o", folder.File("out"), "--plan", "--json");
        Assert.Equal(ExitCode.Yes, run.ExitCode);
        Assert.Equal("plimsoll-torch", run.Json.GetProperty("workload").GetProperty("engine").GetString());
        Assert.Contains(run.Json.GetProperty("phases")[0].GetProperty("lines").EnumerateArray(), line => line.GetProperty("name").GetString() == "process and libraries");
    }

    [Fact]
    public void A_run_is_reported_planned_against_measured()
    {
        using var folder = new TemporaryFolder();
        var (run, job) = Play(folder, Played, 0, "--plot", folder.File("loss.svg"));

        Assert.True(run.ExitCode == ExitCode.Yes, run.Error);
        Assert.Equal("full", job.GetProperty("method").GetString());
        Assert.Equal(Text, job.GetProperty("data").GetString());
        Assert.Equal(256, job.GetProperty("sequence_length").GetInt32());
        Assert.Contains("loss 1.3750; 1.3750 on 1 rows that it has not learnt", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"forward +\d+\.\d+ MiB +238\.42 MiB +[+-]\d+ %", run.Output);
        Assert.Contains("<polyline", File.ReadAllText(folder.File("loss.svg")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_as_JSON_has_every_step_and_phase()
    {
        using var folder = new TemporaryFolder();
        var (run, _) = Play(folder, Played, 0, "--json");
        Assert.Equal("plimsoll.train/1", run.Json.GetProperty("schema").GetString());
        Assert.Equal([1.5, 1.25], run.Json.GetProperty("losses").EnumerateArray().Select(step => step.GetProperty("loss").GetDouble()));
        Assert.Equal(260000000, run.Json.GetProperty("phases")[2].GetProperty("measured_bytes").GetInt64());
    }

    /// <summary>The whole way, where the program has been built.</summary>
    [Fact]
    public void The_program_that_trains_is_found_in_the_source_tree_and_learns()
    {
        Assert.SkipUnless(new[] { "release", "debug" }.Any(kind => File.Exists(Path.Combine(Repository.Root, "artifacts/bin/Plimsoll.Torch", kind, "plimsoll-torch"))), "plimsoll-torch is not built: 'dotnet build src/Plimsoll.Torch' builds it");
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of(environment => environment with { ProgramFolder = AppContext.BaseDirectory },
            "train", Demo, "--data", Text, "-o", folder.File("out"), "--steps", "2", "--context", "16", "--threads", "1", "--json");

        Assert.True(run.ExitCode == ExitCode.Yes, run.Error);
        Assert.Equal(2, run.Json.GetProperty("losses").GetArrayLength());
        Assert.Equal(4, run.Json.GetProperty("phases").GetArrayLength());
        Assert.True(File.Exists(folder.File("out/model.safetensors")));
    }

    [Fact]
    public void The_reason_of_a_failure_and_its_exit_code_pass_through()
    {
        using var folder = new TemporaryFolder();
        var (run, _) = Play(folder, """{"event":"failed","message":"x.txt: 4 tokens fill no row","hint":"more data is needed"}""", 3);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains("plimsoll: x.txt: 4 tokens fill no row", run.Error, StringComparison.Ordinal);
        Assert.Contains("more data is needed", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_dies_without_a_word_is_not_taken_for_success()
    {
        using var folder = new TemporaryFolder();
        var (run, _) = Play(folder, "", 137);
        Assert.Equal(ExitCode.Environment, run.ExitCode);
        Assert.Contains("exit code 137", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("trains for a format, and none is named", "out.gguf")]
    [InlineData("unknown format 'q9'", "out.gguf", "--to", "q9")]
    [InlineData("does not end in .gguf", "out", "--to", "q4_0")]
    [InlineData("named like a GGUF file", "out.gguf", "--to", "ct:w4a16-g128")]
    [InlineData("scales that its rows share", "out.gguf", "--to", "nvfp4")]
    [InlineData("needs an importance matrix", "out.gguf", "--to", "iq2_xxs")]
    [InlineData("quantizes nothing", "out", "--to", "bf16")]
    [InlineData("exists", "here.gguf", "--to", "q4_0")]
    [InlineData("describes adapters", "out.gguf", "--to", "q4_0", "--rank", "4")]
    public void A_format_that_cannot_be_trained_for_is_refused_before_anything_is_loaded(string expected, string output, params string[] options)
    {
        using var folder = new TemporaryFolder();
        folder.Write("here.gguf", "");
        var run = CommandRun.Of(["train", Demo, "--data", Text, "-o", folder.File(output), "--method", "qat", .. options]);
        Assert.Equal(ExitCode.WrongUsage, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_format_goes_with_training_that_is_aware_of_it_alone()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("train", Demo, "--data", Text, "-o", folder.File("out"), "--to", "q4_0");
        Assert.Equal(ExitCode.WrongUsage, run.ExitCode);
        Assert.Contains("--method qat", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_format_reaches_the_program_that_trains_and_the_plan_has_the_exact_weights()
    {
        using var folder = new TemporaryFolder();
        var (run, job) = Play(folder, Played, 0, "--method", "qat", "--to", "ct:w4a16-g128", "--json");
        Assert.Equal("ct:w4a16-g128", job.GetProperty("quantization").GetProperty("format").GetString());
        Assert.True(job.GetProperty("quantization").GetProperty("distill").GetBoolean());
        Assert.Equal("qat", run.Json.GetProperty("method").GetString());

        var plan = CommandRun.Of("train", Demo, "--data", Text, "-o", folder.File("out.gguf"), "--method", "qat", "--to", "q4_0", "--plan", "--json");
        var lines = plan.Json.GetProperty("phases")[1].GetProperty("lines").EnumerateArray().Select(line => line.GetProperty("name").GetString()).ToList();
        Assert.Contains("master weights", lines);
        Assert.Contains("weights of the original", lines);
    }

    /// <summary>Runs with a script in place of the program that trains: it keeps the job, says these lines, and ends with this code.</summary>
    private static (CommandRun Run, JsonElement Job) Play(TemporaryFolder folder, string lines, int code, params string[] options)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in for plimsoll-torch is a shell script");
        folder.Write("events", lines + "\n");
        var script = folder.Write("plimsoll-torch", $"#!/bin/sh\ncat > '{folder.File("job.json")}'\ncat '{folder.File("events")}'\nexit {code}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var run = CommandRun.Of(new Dictionary<string, string> { ["PLIMSOLL_TORCH"] = script }, ["train", Demo, "--data", Text, "-o", folder.File("out"), .. options]);
        return (run, JsonDocument.Parse(File.ReadAllText(folder.File("job.json"))).RootElement);
    }
}
