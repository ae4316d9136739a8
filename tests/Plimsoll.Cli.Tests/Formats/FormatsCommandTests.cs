using System.Text;
using System.Text.Json;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Tests.Formats;

public class FormatsCommandTests
{
    [Theory]
    [InlineData("formats-all.txt", "formats")]
    [InlineData("formats-one.txt", "formats e4m3")]
    [InlineData("formats-mix.txt", "formats q4_k_m")]
    [InlineData("formats-part.txt", "formats iq4")]
    [InlineData("formats-one.json", "formats q8_0 --json")]
    [InlineData("explain-int8.txt", "formats explain int8 0.0234375 --range -1,1")]
    [InlineData("explain-int8.json", "formats explain int8 0.0234375 --range -1,1 --json")]
    [InlineData("explain-uint4-asymmetric.txt", "formats explain uint4 -0.3 --range -0.5,1")]
    [InlineData("explain-clamped.txt", "formats explain int8 2 --range -1,1")]
    [InlineData("explain-fp16-overflow.txt", "formats explain fp16 70000")]
    [InlineData("explain-fp16-overflow.json", "formats explain fp16 70000 --json")]
    [InlineData("explain-bf16.txt", "formats explain bf16 70000")]
    [InlineData("explain-e4m3-overflow.txt", "formats explain e4m3 500")]
    [InlineData("explain-fp8-scaled.txt", "formats explain fp8 0.0234375 --range -1,1")]
    [InlineData("explain-q4_0.txt", "formats explain q4_0 0.3 --range -1,0.8")]
    [InlineData("explain-q4_k.txt", "formats explain q4_k 0.3 --range -1,0.8")]
    [InlineData("explain-mxfp4.txt", "formats explain mxfp4 0.3 --range -1,0.8")]
    [InlineData("explain-nf4.txt", "formats explain nf4 0.3 --range -1,0.8")]
    [InlineData("explain-e8m0.txt", "formats explain e8m0 0.05")]
    public void The_answer_reads_as_reviewed(string golden, string command)
    {
        var run = Run(command);
        Assert.Equal("", run.Error);
        Assert.Equal(ExitCode.Yes, run.ExitCode);
        Golden.Match(golden, run.Out);
    }

    /// <summary>Every refusal in one reviewed text: the command, then what stderr says.</summary>
    [Fact]
    public void Wrong_usage_is_told_in_a_sentence()
    {
        string[] commands =
        [
            "formats fp17",
            "formats zzzzzz",
            "formats explain fp17 1",
            "formats explain 1 fp17",
            "formats explain 1 2",
            "formats explain fp16 fp32",
            "formats explain int8 nan --range -1,1",
            "formats explain fp16 inf",
            "formats explain fp16 1e400",
            "formats explain int8 1,5 --range -1,1",
            "formats explain int8 1",
            "formats explain int8 1 --range 1,-1",
            "formats explain int8 1 --range 1",
            "formats explain int8 1 --range -1,x",
            "formats explain int8 1 --range nan,1",
            "formats explain int8 1 --scale 0",
            "formats explain int8 1 --scale 1 --zero-point 1.5",
            "formats explain int8 1 --scale 1 --range -1,1",
            "formats explain int8 1 --range -1,1 --symmetric --asymmetric",
            "formats explain int64 1 --range -1,1",
            "formats explain fp16 1 --symmetric",
            "formats explain q4_0 0.3",
            "formats explain q4_0 3 --range -1,1",
            "formats explain iq2_xs 0.3 --range -1,1",
        ];
        var text = new StringBuilder();
        foreach (var command in commands)
        {
            var run = Run(command);
            Assert.Equal((ExitCode.WrongUsage, ""), (run.ExitCode, run.Out));
            text.Append("$ plimsoll ").AppendLine(command).AppendLine(run.Error);
        }
        Golden.Match("refused.txt", text.ToString());
    }

    [Theory]
    [InlineData("formats explain -0.5 int8 --range -1,1", "formats explain int8 -0.5 --range -1,1")]
    [InlineData("formats explain 70000 fp16", "formats explain fp16 70000")]
    [InlineData("formats explain fp16 --range=-1,1 -0.5", "formats explain HALF -5e-1 --range -1,1")]
    public void Format_and_value_may_change_places(string one, string other)
    {
        var (left, right) = (Run(one), Run(other));
        Assert.Equal(ExitCode.Yes, left.ExitCode);
        Assert.Equal(left, right);
    }

    [Fact]
    public void The_json_lists_every_format_with_its_facts()
    {
        using var json = JsonDocument.Parse(Run("formats --json").Out);
        Assert.Equal("plimsoll.formats/1", json.RootElement.GetProperty("schema").GetString());
        var formats = json.RootElement.GetProperty("formats").EnumerateArray().ToList();
        Assert.Equal(NumberFormats.All.Select(format => format.Name), formats.Select(format => format.GetProperty("name").GetString()));
        foreach (var (format, element) in NumberFormats.All.Zip(formats))
        {
            Assert.Equal(format.BitsPerWeight, element.GetProperty("bits_per_weight").GetDouble());
            Assert.Equal(format.BlockBytes, element.GetProperty("block_bytes").GetInt32());
            Assert.Equal(format.GgmlType, element.GetProperty("ggml_type") is { ValueKind: JsonValueKind.Number } id ? id.GetInt32() : null);
        }
    }

    [Fact]
    public void Help_ends_with_examples_that_run()
    {
        var help = Run("formats explain --help").Out;
        var examples = help.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("plimsoll formats explain ", StringComparison.Ordinal) && !line.Contains('<')).ToList();
        Assert.NotEmpty(examples);
        Assert.All(examples, example => Assert.Equal(ExitCode.Yes, Run(example["plimsoll ".Length..]).ExitCode));
    }

    private static (int ExitCode, string Out, string Error) Run(string command)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = CliApplication.Run(command.Split(' '), new CliEnvironment { Out = output, Error = error, Variable = _ => null });
        return (code, output.ToString(), error.ToString());
    }
}
