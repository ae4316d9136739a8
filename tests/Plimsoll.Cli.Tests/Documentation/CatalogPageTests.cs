using System.Text.RegularExpressions;

namespace Plimsoll.Cli.Tests.Documentation;

/// <summary>The catalogs that <c>docs/catalogs.md</c> shows can be loaded, and say what the page claims.</summary>
public partial class CatalogPageTests
{
    private static readonly string[] Examples = [.. JsonBlock().Matches(Repository.Read("docs/catalogs.md")).Select(match => match.Groups[1].Value)];

    [Fact]
    public void Every_example_is_a_catalog()
    {
        using var folder = new TemporaryFolder();
        Assert.True(Examples.Length >= 3);
        foreach (var (example, index) in Examples.Select((text, index) => (text, index)))
        {
            var file = folder.Write($"{index}.json", example);
            string[] command = example.Contains("\"gpus\"", StringComparison.Ordinal) ? ["gpus", "--catalog", file, "--json"] : ["plan", "my-org/my-8b", "--catalog", file, "--json"];
            var run = CommandRun.Of(command);
            Assert.True(run.ExitCode == 0, $"{example}\n{run.Error}");
        }
    }

    [Fact]
    public void The_example_model_can_be_planned()
    {
        using var folder = new TemporaryFolder();
        var plan = CommandRun.Of("plan", "my-8b", "--catalog", folder.Write("models.json", Example("my-org/my-8b")), "--json");
        Assert.Equal("my-org/my-8b", plan.Json.GetProperty("model").GetProperty("id").GetString());
        Assert.Equal(8_030_261_248, plan.Json.GetProperty("model").GetProperty("parameters").GetInt64());
    }

    [Fact]
    public void The_example_GPU_has_the_stated_memory_and_its_aliases()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("plan", "7b", "--gpu", "the modded card", "--catalog", folder.Write("gpus.json", Example("rtx-3080-20gb")), "--json");
        Assert.Equal(19_868L << 20, run.Json.GetProperty("device").GetProperty("usable_bytes").GetInt64());
    }

    [Fact]
    public void An_entry_with_a_known_id_replaces_only_what_it_states()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("gpus", "--show", "rtx-4090", "--catalog", folder.Write("prices.json", Example("\"rtx-4090\"")), "--json");
        var text = run.Output;
        Assert.Contains("0.34", text, StringComparison.Ordinal);
        Assert.Contains("1008", text, StringComparison.Ordinal);
    }

    private static string Example(string part) => Examples.First(example => example.Contains(part, StringComparison.Ordinal));

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
