using System.CommandLine;
using System.Globalization;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;
using Plimsoll.Quantization.Running;
using Plimsoll.Runtime;

namespace Plimsoll.Cli.Run;

/// <summary><c>plimsoll run MODEL</c>: text from packed weights on the CPU, with its speed, and the memory that it took against the plan.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "a GGUF file, or a folder with config.json and weights" };
    private static readonly Option<string?> Prompt = new("--prompt") { Description = "the text to go on from; without it and --file, stdin is read", HelpName = "TEXT" };
    private static readonly Option<string?> FileName = new("--file", "-f") { Description = "a text file in UTF-8 to go on from", HelpName = "FILE" };
    private static readonly Option<int?> Count = OptionValues.Count("-n", "tokens to generate at most; 128 when left out", minimum: 0);
    private static readonly Option<long?> Context = OptionValues.Tokens("--context", "tokens of prompt and answer together; what prompt and -n need when left out");
    private static readonly Option<string?> KvPrecision = new("--kv-precision") { Description = "the cache of keys and values: f32, f16, bf16, q8_0, q4_0; f16 when left out" };
    private static readonly Option<int?> Threads = OptionValues.Count("--threads", "threads that compute; all processors when left out", maximum: 1024);
    private static readonly Option<bool> Force = new("--force") { Description = "run even where the plan exceeds the memory that is free" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command("run", """
            Generates text on the CPU from packed weights, and compares the memory that it took with the plan.

            Examples:
              plimsoll run model.gguf --prompt "Once upon a time"
              plimsoll run ./llama-3.2-1b --file prompt.txt -n 200 --kv-precision q8_0
              plimsoll run model.gguf --prompt "Hello" --temperature 0.8 --seed 7
              plimsoll run model.gguf --prompt "Hello" --context 4k --threads 2 --json
            """)
        {
            Model, Prompt, FileName, Count, Context, KvPrecision, Threads, Force,
        };
        foreach (var option in SamplingChoice.Options)
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        var json = parsed.GetValue(GlobalOptions.Json);
        var path = LocalModel.Locate(parsed.GetValue(Model)!, environment);
        var located = ModelChoice.Locate(path, parsed, environment);
        var tokenizer = Tokenizer.Load(path);
        var sampler = SamplingChoice.Create(parsed);
        var prompt = tokenizer.Encode(ReadPrompt(parsed, environment));
        var request = CreateRequest(parsed, located, prompt);
        var plan = RunPlan.Check(located, request, environment, parsed.GetValue(Force));

        using var pool = new ComputePool(parsed.GetValue(Threads) ?? environment.Processors);
        using var model = Load(located, pool);
        using var session = model.CreateSession(new() { Context = request.Context, KeyValueFormat = request.KvFormat, Batch = Math.Min(SessionOptions.DefaultBatch, prompt.Length) });
        var text = new StreamedText(tokenizer, json ? TextWriter.Null : terminal.Out);
        var report = Generation.Run(session, tokenizer, sampler, request, text, environment) with { PlannedBytes = plan, PeakBytes = ProcessMemory.Peak() };
        if (json)
            RunJson.Write(terminal.Out, report);
        else
        {
            terminal.Out.WriteLine();
            terminal.Error.WriteLine(report.Describe());
        }
        return ExitCode.Yes;
    }

    private static TransformerModel Load(LocatedModel located, ComputePool pool)
    {
        try
        {
            return TransformerModel.Load(located, pool);
        }
        catch (UnknownArchitectureException failure)
        {
            throw CliException.WrongUsage(failure.Message);
        }
    }

    private static string ReadPrompt(ParseResult parsed, CliEnvironment environment)
    {
        var (text, file) = (parsed.GetValue(Prompt), parsed.GetValue(FileName));
        if (text is not null && file is not null)
            throw CliException.WrongUsage("--prompt and --file exclude each other");
        if (text is { Length: 0 })
            throw CliException.WrongUsage("--prompt is empty", "give the text to go on from");
        return text ?? (file is not null ? InputText.ReadFile(file) : InputText.ReadStandardInput(environment));
    }

    private static RunRequest CreateRequest(ParseResult parsed, LocatedModel located, int[] prompt)
    {
        var count = parsed.GetValue(Count) ?? 128;
        var limit = located.Shape.MaxContext;
        var context = parsed.GetValue(Context) ?? Math.Min((long)prompt.Length + count, limit ?? int.MaxValue);
        if (limit is { } longest && context > longest)
            throw CliException.WrongUsage(Invariant($"a context of {context:N0} tokens is beyond the {longest:N0} that the model was made for"), Invariant($"--context {longest} is the longest"));
        if (prompt.Length > context)
            throw CliException.BadInput(Invariant($"the prompt has {prompt.Length:N0} tokens, more than the context of {context:N0}"), limit > context ? Invariant($"the model can take --context {limit}") : "shorten the prompt");
        if (prompt.FirstOrDefault(token => token >= located.Shape.VocabularySize, -1) is var foreign and >= 0)
            throw CliException.BadInput(Invariant($"the tokenizer made token {foreign}, and the model has {located.Shape.VocabularySize:N0}"), "the tokenizer belongs to another model");
        if (prompt.Length == 0)
            throw CliException.BadInput("the prompt has no tokens", "give the text to go on from");
        return new(prompt, (int)Math.Min(count, context - prompt.Length), (int)context, KvFormat(parsed.GetValue(KvPrecision), located.Shape));
    }

    private static NumberFormat KvFormat(string? name, ModelShape shape)
    {
        NumberFormat[] possible = [NumberFormats.Fp32, NumberFormats.Fp16, NumberFormats.Bf16, NumberFormats.Q8_0, NumberFormats.Q4_0];
        var format = name is null ? NumberFormats.Fp16 : NumberFormats.Find(name);
        if (format is null || !possible.Contains(format))
            throw CliException.WrongUsage($"--kv-precision takes f32, f16, bf16, q8_0 or q4_0, not '{name}'");
        var odd = shape.Layers.Select(layer => layer.Attention?.KeyHeadDim ?? 0).FirstOrDefault(dim => dim % format.BlockLength != 0);
        return odd == 0 ? format : throw CliException.WrongUsage(Invariant($"a cache in {format} holds blocks of {format.BlockLength}, and the heads of this model have {odd} elements"), "f16 takes any");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
