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
    private const int DefaultCount = 128;

    /// <summary>Tokens of a conversation unless more are asked for.</summary>
    private const int ChatContext = 4096;

    private static readonly Argument<string> Model = new("MODEL") { Description = "a GGUF file, or a folder with config.json and weights" };
    private static readonly Option<string?> Prompt = new("--prompt") { Description = "the text to go on from; without it and --file, stdin is read", HelpName = "TEXT" };
    private static readonly Option<string?> FileName = new("--file", "-f") { Description = "a text file in UTF-8 to go on from", HelpName = "FILE" };
    private static readonly Option<int?> Count = OptionValues.Count("-n", "tokens to generate at most; 128 when left out", minimum: 0);
    private static readonly Option<long?> Context = OptionValues.Tokens("--context", "tokens of prompt and answer together; what prompt and -n need when left out");
    private static readonly Option<string?> KvPrecision = new("--kv-precision") { Description = "the cache of keys and values: f32, f16, bf16, q8_0, q4_0; f16 when left out" };
    private static readonly Option<int?> Batch = OptionValues.Count("--batch", "tokens of the prompt computed at once; fewer take less memory; 512 when left out", maximum: 65_536);
    private static readonly Option<bool> Chat = new("--chat") { Description = "answer by the model's chat template: the prompt, or each line of stdin as a turn" };
    private static readonly Option<string?> SystemText = new("--system") { Description = "with --chat: what the model is told before the first turn", HelpName = "TEXT" };
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
              plimsoll run model.gguf --chat --system "Answer briefly." --prompt "What is a quant?"
              plimsoll run model.gguf --chat --context 8k
            """)
        {
            Model, Prompt, FileName, Count, Context, KvPrecision, Batch, Chat, SystemText, Threads, Force,
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
        var conversation = Converse(parsed, path, tokenizer, environment);
        var text = conversation is not null && IsFromStandardInput(parsed) ? null : ReadPrompt(parsed, environment);
        int[] prompt = conversation is null ? tokenizer.Encode(text!) : [];
        var request = CreateRequest(parsed, located, conversation is null ? prompt : null);
        var plan = RunPlan.Check(located, request, environment, parsed.GetValue(Force));

        using var pool = new ComputePool(parsed.GetValue(Threads) ?? environment.Processors);
        using var model = Load(located, pool);
        using var session = model.CreateSession(new() { Context = request.Context, KeyValueFormat = request.KvFormat, Batch = Math.Min(request.Batch, request.Prompt) });
        var output = json ? TextWriter.Null : terminal.Out;
        var count = parsed.GetValue(Count) ?? DefaultCount;
        var report = conversation is null
            ? Generation.Run(session, tokenizer, sampler, prompt, Math.Min(count, request.Context - prompt.Length), new(tokenizer, output), environment)
            : new ChatLoop(session, tokenizer, sampler, conversation, count, environment).Run(text is null ? InputText.ReadLines(environment) : [text], output);
        report = report with { PlannedBytes = plan, PeakBytes = ProcessMemory.Peak() };
        if (json)
            RunJson.Write(terminal.Out, report, conversation?.Messages);
        else
        {
            if (conversation is null)
                terminal.Out.WriteLine();
            terminal.Error.WriteLine(report.Describe());
        }
        return ExitCode.Yes;
    }

    private static Conversation? Converse(ParseResult parsed, string path, Tokenizer tokenizer, CliEnvironment environment)
    {
        var system = parsed.GetValue(SystemText);
        if (!parsed.GetValue(Chat))
            return system is null ? null : throw CliException.WrongUsage("--system is for conversations", "add --chat");
        return new(path, tokenizer, system, environment.Time);
    }

    private static bool IsFromStandardInput(ParseResult parsed) => parsed.GetValue(Prompt) is null && parsed.GetValue(FileName) is null;

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

    /// <param name="prompt">Its tokens; null for a conversation, whose length is not known yet.</param>
    private static RunRequest CreateRequest(ParseResult parsed, LocatedModel located, int[]? prompt)
    {
        var limit = located.Shape.MaxContext;
        var context = parsed.GetValue(Context) ?? Math.Min(prompt is null ? ChatContext : (long)prompt.Length + (parsed.GetValue(Count) ?? DefaultCount), limit ?? int.MaxValue);
        if (limit is { } longest && context > longest)
            throw CliException.WrongUsage(Invariant($"a context of {context:N0} tokens is beyond the {longest:N0} that the model was made for"), Invariant($"--context {longest} is the longest"));
        if (prompt is not null)
            PromptCheck.Check(prompt, context, located.Shape.VocabularySize, "the prompt");
        return new(prompt?.Length ?? (int)context, (int)context, parsed.GetValue(Batch) ?? SessionOptions.DefaultBatch, KvFormat(parsed.GetValue(KvPrecision), located.Shape));
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
