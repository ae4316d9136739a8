using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using Plimsoll.Cli.Tests.Quantize;

namespace Plimsoll.Cli.Tests.Documentation;

/// <summary><c>docs/command-line.md</c> has a section per command with exactly its options, and names the JSON schemas that the code writes.</summary>
public partial class CommandLinePageTests
{
    private static readonly string Page = Repository.Read("docs/command-line.md");

    private static readonly string[] Shared = ["Options of a run", "Options of training"];

    public static TheoryData<string> SharedSections => [.. Shared];

    public static TheoryData<string> Commands => [.. All(CliApplication.CreateRoot(Nowhere()), "plimsoll").Select(command => command.Path)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_option_and_argument_of_the_help_page_is_described(string path)
    {
        var section = path == "plimsoll" ? Section("## Options of every command") : Description($"## {path}");
        var help = CommandRun.Of([.. path.Split(' ').Skip(1), "--help"]).Output;
        var command = All(CliApplication.CreateRoot(Nowhere()), "plimsoll").Single(candidate => candidate.Path == path).Command;
        Assert.All(OptionName().Matches(help).Select(match => match.Groups[1].Value).Where(name => path == "plimsoll" || !IsGlobal(name)),
            name => Assert.True(section.Contains($"`{name}", StringComparison.Ordinal), $"'{path} --help' prints {name}, docs/command-line.md does not describe it there"));
        Assert.All(command.Arguments.Where(argument => !argument.Hidden), argument => Assert.Contains(argument.Name, section, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_option_of_a_section_exists(string path)
    {
        if (path == "plimsoll")
            return;
        var command = All(CliApplication.CreateRoot(Nowhere()), "plimsoll").Single(candidate => candidate.Path == path).Command;
        var names = command.Options.SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet();
        var described = DescribedOption().Matches(Section($"## {path}")).SelectMany(match => OptionWord().Matches(match.Value).Select(word => word.Value));
        Assert.Subset(names, described.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(SharedSections))]
    public void Every_option_of_a_shared_section_exists(string heading)
    {
        var plan = CliApplication.CreateRoot(Nowhere()).Subcommands.Single(command => command.Name == "plan");
        var names = plan.Options.SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet();
        Assert.Subset(names, DescribedOption().Matches(Section($"## {heading}")).SelectMany(match => OptionWord().Matches(match.Value).Select(word => word.Value)).ToHashSet());
    }

    [Theory]
    [InlineData("## plimsoll plan", "plan llama-3.1-8b --gpu rtx-4090")]
    [InlineData("## plimsoll plan", "plan qwen3-30b-a3b -p q4_k_m --gpu 12GiB --n-cpu-moe 20")]
    [InlineData("## plimsoll plan", "plan llama-3.1-8b --engine vllm --gpu 16GiB")]
    [InlineData("## plimsoll gpus", "gpus")]
    [InlineData("## plimsoll gpus", "gpus llama-3.1-8b --all --vendor nvidia")]
    [InlineData("## plimsoll plan", "plan llama-3.1-8b --gpu 12GiB --what-if")]
    [InlineData("## plimsoll plan", "plan llama-3.1-8b --for qlora --gpu rtx-4090")]
    [InlineData("## plimsoll plan", "plan 7b --for training --gpu 4xh100 --parallel zero=3")]
    [InlineData("## plimsoll plan", "plan llama-3.1-8b --gpu h100 --emit vllm")]
    [InlineData("## plimsoll fit", "fit llama-3.1-8b --memory 12GiB")]
    [InlineData("## plimsoll fit", "fit llama-3.1-70b --memory 12GiB")]
    [InlineData("## plimsoll fit", "fit demo --memory 1MiB")]
    [InlineData("## plimsoll diagnose", "diagnose docs/examples/out-of-memory.log --model 7b --for lora --context 4096")]
    [InlineData("## plimsoll diagnose", "diagnose docs/examples/gpu-memory.csv")]
    [InlineData("## plimsoll doctor", "doctor")]
    [InlineData("## plimsoll models", "models")]
    [InlineData("## plimsoll models", "models llama-3.1-8b --detail")]
    [InlineData("## plimsoll formats", "formats")]
    [InlineData("## plimsoll formats explain", "formats explain int8 0.3 --range -1,1")]
    public void Every_member_of_the_JSON_answers_is_described(string heading, string command)
    {
        var run = CommandRun.Of(Shell.InRepository([.. command.Split(' '), "--json"]));
        Assert.True(run.ExitCode is 0 or 1, run.Error);
        AssertDescribed(run.Json, Section(heading));
    }

    [Fact]
    public void Every_member_of_the_inspect_answer_is_described()
    {
        using var folder = new TemporaryFolder();
        const string Header = """{"model.norm.weight":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}""";
        folder.Write("a/model.safetensors", [.. BitConverter.GetBytes((long)Header.Length), .. System.Text.Encoding.ASCII.GetBytes(Header), .. new byte[8]]);
        folder.Write("a/config.json", """{"model_type":"llama","hidden_size":4,"num_hidden_layers":1,"num_attention_heads":1,"vocab_size":8,"intermediate_size":8}""");
        folder.Write("b/model.gguf", "GGUF, but cut");
        foreach (var path in new[] { folder.File("a"), folder.Path })
        {
            var run = CommandRun.Of("inspect", path, "--tensors", "--json");
            Assert.True(run.ExitCode is 0 or 1 or 3, run.Error);
            AssertDescribed(run.Json, Section("## plimsoll inspect"));
        }
    }

    [Fact]
    public void Every_member_of_the_accuracy_answer_is_described()
    {
        using var folder = new TemporaryFolder();
        var cases = folder.Write("cases.jsonl",
            """
            {"id":"a-1","kind":"inference","framework":"transformers","version":"4.46.0","model":"Qwen/Qwen2.5-7B-Instruct","settings":{"quant":"BF16","gpus":"1","input_tokens":"1","generated_tokens":"2048"},"measured":{"total_mib":"14800"}}
            {"id":"a-2","kind":"training","framework":"peft","model":"x","settings":{},"measured":{}}
            """);
        var run = CommandRun.Of("accuracy", cases, "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        AssertDescribed(run.Json, Section("## plimsoll accuracy"));
    }

    [Fact]
    public void Every_member_of_the_quantize_answers_is_described()
    {
        using var models = new SmallModels();
        foreach (var option in (string[])["--memory-plan", "--force"])
        {
            var run = CommandRun.Of("quantize", models.Gguf(), "--to", "q8_0", "-o", models.Output("out.gguf"), option, "--json");
            Assert.True(run.ExitCode == 0, run.Error);
            AssertDescribed(run.Json, Section("## plimsoll quantize"));
        }
    }

    [Fact]
    public void Every_JSON_schema_of_the_code_is_described()
    {
        var written = Repository.Files(".cs").Where(path => path.StartsWith("src/Plimsoll.Cli/", StringComparison.Ordinal))
            .SelectMany(path => Schema().Matches(Repository.Read(path)).Select(match => match.Value)).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(written, Schema().Matches(Page).Select(match => match.Value).Distinct().Order(StringComparer.Ordinal));
    }

    private static void AssertDescribed(JsonElement answer, string section)
    {
        var described = Code().Matches(section).Select(match => match.Groups[1].Value).Append("schema").ToHashSet();
        var lacking = Members(answer).Distinct().Except(described).ToList();
        Assert.True(lacking.Count == 0, $"docs/command-line.md does not describe {string.Join(", ", lacking)}");
    }

    private static IEnumerable<string> Members(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Members(member.Value).Prepend(member.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Members),
        _ => [],
    };

    private static bool IsGlobal(string name) => GlobalOptions.All.Any(option => option.Name == name) || name is "--help" or "--version";

    private static IEnumerable<(string Path, Command Command)> All(Command command, string path)
    {
        yield return (path, command);
        foreach (var inner in command.Subcommands.SelectMany(child => All(child, $"{path} {child.Name}")))
            yield return inner;
    }

    private static string Section(string heading)
    {
        var start = Page.IndexOf(heading + "\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/command-line.md has no section '{heading}'");
        var end = Page.IndexOf("\n## ", start + heading.Length, StringComparison.Ordinal);
        return end < 0 ? Page[start..] : Page[start..end];
    }

    /// <summary>The section of a command, and the shared ones that it refers to.</summary>
    private static string Description(string heading)
    {
        var section = Section(heading);
        return section + string.Concat(Shared.Where(name => section.Contains($"(#{name.ToLowerInvariant().Replace(' ', '-')})", StringComparison.Ordinal)).Select(name => Section($"## {name}")));
    }

    private static CliEnvironment Nowhere() => new() { Out = TextWriter.Null, Error = TextWriter.Null, Variable = _ => null };

    /// <summary>An option in the list of a help page.</summary>
    [GeneratedRegex(@"^  (?:-\S+, )*(--[a-z][a-z0-9-]*)", RegexOptions.Multiline)]
    private static partial Regex OptionName();

    /// <summary>The first cell of a row that describes options.</summary>
    [GeneratedRegex(@"^\| `-[^|]*\|", RegexOptions.Multiline)]
    private static partial Regex DescribedOption();

    [GeneratedRegex(@"(?<=[`\s])--?[a-z][a-z0-9-]*")]
    private static partial Regex OptionWord();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"plimsoll\.[a-z_-]+/\d+")]
    private static partial Regex Schema();
}
