using System.CommandLine;

namespace Plimsoll.Cli.Eval;

/// <summary><c>plimsoll eval</c>: how well models predict a text, and how far each is from its base.</summary>
internal static class EvalCommand
{
    public static Command Create(CliEnvironment environment)
    {
        var command = new Command("eval", """
            Perplexity on a text, in llama.cpp's windows; with --against also the KL divergence from another model, usually the one before quantization.
            The base is run once, however many models are compared with it.

            Examples:
              plimsoll eval model-q4_k_m.gguf --text wiki.test.raw
              plimsoll eval model-q8_0.gguf model-q4_k_m.gguf model-q2_k.gguf --against model-f16.gguf --text wiki.test.raw --chunks 40
              plimsoll eval *.gguf --against ./Qwen3-8B --text wiki.test.raw --plot sizes.svg
            """)
        {
            EvalOptions.Models,
        };
        foreach (var option in EvalOptions.All)
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var plot = parsed.GetValue(EvalOptions.Plot);
        if (plot is not null && !plot.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
            throw CliException.WrongUsage($"--plot draws SVG, and '{plot}' does not end in .svg");
        if (parsed.GetValue(EvalOptions.Logits) is not null && parsed.GetValue(EvalOptions.Against) is null)
            throw CliException.WrongUsage("--logits keeps the predictions of a base, and there is no --against");
        using var run = new EvalRun(parsed, environment);
        var report = run.Run();
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (plot is not null)
            File.WriteAllText(plot, EvalPlot.Draw(report));
        if (parsed.GetValue(GlobalOptions.Json))
            EvalJson.Write(terminal.Out, report);
        else
            EvalTable.Write(terminal, report);
        return ExitCode.Yes;
    }
}
