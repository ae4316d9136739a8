using System.Runtime.CompilerServices;
using System.Text;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Launch;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Cli.Tests.Plan;

/// <summary>The examples and tables of <c>docs/launch.md</c> are written by this test (<c>UPDATE_GOLDEN=1</c>) and must equal what the code writes.</summary>
public class LaunchDocumentTests
{
    [Fact]
    public void The_page_shows_what_the_code_writes()
    {
        var path = DocumentPath();
        var page = File.ReadAllText(path).ReplaceLineEndings("\n");
        foreach (var (section, text) in Sections())
        {
            var (start, end) = ($"<!-- {section} -->\n", $"<!-- /{section} -->\n");
            var from = page.IndexOf(start, StringComparison.Ordinal);
            var to = page.IndexOf(end, StringComparison.Ordinal);
            Assert.True(from >= 0 && to > from, $"docs/launch.md has no section '{section}'");
            page = page[..(from + start.Length)] + text + page[to..];
        }
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, page);
        Assert.Equal(page, File.ReadAllText(path).ReplaceLineEndings("\n"));
    }

    private static IEnumerable<(string Section, string Text)> Sections()
    {
        yield return ("vllm", Serving("sh", "plan llama-3.1-70b --gpu 16xa100-80gb --parallel tp=8,pp=2 --context 32k --emit vllm"));
        yield return ("llama.cpp", Serving("sh", "plan qwen3-30b-a3b -p q4_k_m --gpu rtx-3090 --kv-precision q8_0 --batch 4 --emit llama.cpp"));
        yield return ("transformers", Serving("python", "plan llama-3.1-8b -p nf4-dq --gpu rtx-3060 --emit transformers"));
        yield return ("kubernetes", Serving("yaml", "plan llama-3.1-8b --gpu l40s --engine vllm --emit kubernetes"));
        yield return ("axolotl", Training("yaml", Plan("axolotl", TrainingMethod.Qlora, "nf4-dq", "paged-adamw-8bit", TrainingParallelism.One)));
        var sharded = new TrainingParallelism(Data: 16) { Sharding = Sharding.Weights };
        yield return ("accelerate", Training("yaml", Plan("accelerate", TrainingMethod.Full, "bf16", "adamw", sharded)));
        yield return ("deepspeed", Training("json", Plan("deepspeed", TrainingMethod.Full, "bf16", "adamw", sharded)));
        yield return ("options", Options());
    }

    private static string Serving(string language, string command)
    {
        var run = CommandRun.Of([.. command.Split(' '), "--json"]);
        Assert.Equal("", run.Error);
        return $"`plimsoll {command}`\n\n" + Block(language, run.Json.GetProperty("launch")[0].GetProperty("text").GetString()!);
    }

    private static LaunchConfiguration Plan(string target, TrainingMethod method, string precision, string optimizer, TrainingParallelism parallel)
    {
        var shape = ModelCatalog.Default.Find("llama-3.1-8b")!.Shape;
        var request = new TrainingRequest
        {
            Model = shape,
            Method = method,
            Weights = PrecisionScheme.Find(precision)!.Apply(shape),
            Optimizer = OptimizerCatalog.Find(optimizer)!,
            Trainer = TrainerCatalog.Default,
            SequenceLength = 4096,
            Accumulation = 4,
            Checkpointing = Checkpointing.Full,
            Adapter = method == TrainingMethod.Full ? null : new(16, "all-linear"),
            Parallel = parallel,
        };
        return Launcher.Create(target, new TrainingLaunch
        {
            Request = request,
            Plan = TrainingPlanner.Plan(request),
            Model = LaunchModel.OnHub(shape, "bf16"),
            Device = GpuSelection.Parse("a100-80gb", GpuCatalog.Default),
        });
    }

    /// <summary>Training figures are shown and tested on the pages about training; here they would only follow every refined constant.</summary>
    private static string Training(string language, LaunchConfiguration launched) =>
        Block(language, string.Concat(launched.Text.Split('\n').Where(line => !line.StartsWith("# Memory planned", StringComparison.Ordinal)).Select(line => line + "\n")).TrimEnd('\n') + "\n");

    private static string Block(string language, string text) => $"```{language}\n{text}```\n";

    private static string Options()
    {
        var text = new StringBuilder();
        foreach (var tool in LaunchTools.All)
        {
            text.Append($"\n### {tool.Name} {tool.Version}\n\n| name | what a plan puts there | defined in |\n|---|---|---|\n");
            foreach (var option in tool.Options)
                text.Append($"| `{option.Name}` | {option.Meaning} | {option.Source} |\n");
        }
        return text.ToString();
    }

    private static string DocumentPath([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "docs", "launch.md")))
                return Path.Combine(folder, "docs", "launch.md");
        }
        throw new FileNotFoundException("docs/launch.md is not above the test");
    }
}
