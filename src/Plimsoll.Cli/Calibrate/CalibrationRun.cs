using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.Calibration.Sequential;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.HuggingFace.Folding;
using Plimsoll.Runtime;
using Plimsoll.Runtime.Sampling;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Cli.Calibrate;

/// <summary>A model and the text that it is calibrated with.</summary>
internal sealed class CalibrationRun : IDisposable
{
    private const int DefaultContext = 512;
    private const int DefaultSelfChunks = 32;

    private readonly LocatedModel located;
    private readonly TransformerSettings settings;
    private readonly ParseResult parsed;
    private readonly CliEnvironment environment;
    private readonly int threads;
    private TransformerModel? model;

    private CalibrationRun(LocatedModel located, TransformerSettings settings, Tokenizer tokenizer, string text, int threads, ParseResult parsed, CliEnvironment environment)
    {
        (this.located, this.settings, this.threads, this.parsed, this.environment) = (located, settings, threads, parsed, environment);
        try
        {
            Text = text == CalibrateOptions.Self ? Write(tokenizer) : Read(text, tokenizer);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public CalibrationText Text { get; private set; }

    /// <summary>The whole model, loaded when it is needed first.</summary>
    public TransformerModel Model => model ??= TransformerModel.Load(located, threads == 1 ? ComputePool.Single : new ComputePool(threads));

    /// <summary>Keeps the end of the text for measuring.</summary>
    /// <returns>What <see cref="Text"/> does not have any more.</returns>
    public CalibrationText HoldOut()
    {
        (Text, var last) = Text.Split();
        return last;
    }

    /// <param name="text">The path of a text file, or <see cref="CalibrateOptions.Self"/>.</param>
    /// <exception cref="CliException">The model cannot be run, or the text does not do.</exception>
    public static CalibrationRun Load(string name, string text, int threads, ParseResult parsed, CliEnvironment environment)
    {
        var path = LocalModel.Locate(name, environment);
        try
        {
            var located = ModelLocator.FromPath(path);
            var tokenizer = Tokenizer.Load(LocalModel.TokenizerPath(path));
            using var checkpoint = DecoderCheckpoint.Open(located);
            return new(located, checkpoint.Settings, tokenizer, text, threads, parsed, environment);
        }
        catch (UnknownArchitectureException failure)
        {
            throw CliException.BadInput($"{name}: {failure.Message}");
        }
    }

    /// <summary>Runs the text and tells what the layers were given.</summary>
    /// <param name="keepGrams">Whether products of columns are kept, which error feedback needs, and the head is run.</param>
    public ImmutableArray<CalibratedTensor> Collect(bool keepGrams) => CalibratedTensors.Find(located, Observe(keepGrams, withHead: keepGrams));

    /// <summary>Prepares to run the text layer by layer, while they are quantized.</summary>
    public SequentialCalibration Sequential(string folder) => new(located, Text, threads, folder, environment.Interrupted);

    /// <summary>Runs the text and makes an importance matrix of it.</summary>
    public CalibratedRecipe Weigh() => new(GgufImportance.Of(Text.Name, Collect(keepGrams: false).ToImportance(Text)), null, Text.Digest);

    /// <summary>Runs the text and makes of it what error feedback wants.</summary>
    public CalibratedRecipe Calibrate()
    {
        CheckMemory();
        var tensors = Collect(keepGrams: true);
        using var progress = Progress.Start(parsed, environment, "invert", tensors.Length, ProgressUnit.Of("tensors"));
        var importance = GgufImportance.Of(Text.Name, tensors.ToImportance(Text));
        return new(importance, CalibratedFeedback.Create(tensors, threads, done => progress.Report(done, tensors[done - 1].Name), environment.Interrupted), Text.Digest);
    }

    /// <summary>Runs the text and makes of it what the recipe's method wants. The head, which folders of safetensors do not quantize, is left out.</summary>
    public HuggingFaceRecipe Calibrate(HuggingFaceRecipe recipe)
    {
        recipe = recipe with { Inputs = CalibrateLayers(recipe.NeedsProducts) };
        if (!recipe.Rescales)
            return recipe;
        using var progress = Progress.Start(parsed, environment, "rescale", FoldSearch.Groups(located, settings), ProgressUnit.Of("groups"));
        return recipe with { Folds = FoldSearch.Run(located, recipe, settings, threads, done => progress.Report(done), environment.Interrupted) };
    }

    private CalibratedInputs CalibrateLayers(bool keepGrams)
    {
        if (keepGrams)
            CheckMemory();
        var seen = Observe(keepGrams, withHead: false);
        using var progress = Progress.Start(parsed, environment, "invert", seen.Distinct.Count(), ProgressUnit.Of("layers"));
        return CalibratedInputs.Create(seen, threads, done => progress.Report(done), environment.Interrupted);
    }

    private InputCollector Observe(bool keepGrams, bool withHead)
    {
        var collector = new InputCollector(keepGrams, threads);
        using var session = Model.CreateSession(new() { Context = Text.Context, Observer = collector });
        using var progress = Progress.Start(parsed, environment, "calibrate", (long)Text.Chunks * Text.Context, ProgressUnit.Of("tokens"));
        Text.Run(session, withHead, done => progress.Report((long)done * Text.Context), environment.Interrupted);
        return collector;
    }

    private void CheckMemory()
    {
        var (needed, free) = (CalibratedTensors.GramBytes(located), environment.AvailableMemory());
        if (needed > free)
        {
            throw CliException.Environment(
                $"the products of the inputs of all layers take {new ByteSize(needed)}, and {new ByteSize(free)} of memory is free",
                "take a machine with more, or 'plimsoll calibrate' and --imatrix, which need little");
        }
    }

    public void Dispose() => model?.Dispose();

    private int Context => parsed.GetValue(CalibrateOptions.Context) is { } asked
        ? asked <= settings.MaxContext || !settings.LearnedPositions ? asked : throw CliException.WrongUsage($"the model has learned {settings.MaxContext} positions, and a chunk has {asked} tokens", $"--context {settings.MaxContext} is the most")
        : Math.Min(DefaultContext, settings.MaxContext ?? DefaultContext);

    private CalibrationText Read(string path, Tokenizer tokenizer)
    {
        var tokens = tokenizer.Encode(InputText.ReadFile(path));
        if (tokens.FirstOrDefault(token => token >= settings.VocabularySize, -1) is >= 0 and var outside)
            throw CliException.BadInput($"the tokenizer gives token {outside}, and the weights know {settings.VocabularySize}", "tokenizer and weights are not of the same model");
        if (tokens.Length < Context)
        {
            throw CliException.BadInput(
                string.Create(CultureInfo.InvariantCulture, $"{path}: {tokens.Length:N0} tokens, and a chunk of {Context:N0} is the least to calibrate with; some dozens of them are usual"),
                "use more text, a smaller --context, or --text self");
        }
        var chunks = Math.Min(tokens.Length / Context, parsed.GetValue(CalibrateOptions.Chunks) ?? int.MaxValue);
        return new(Path.GetFileName(path), tokens.AsMemory(0, chunks * Context), Context, tokenizer.Vocabulary.AddBos ? tokenizer.Vocabulary.Special.Bos : null);
    }

    /// <summary>Text sampled from the model at temperature 1, each chunk with a seed of its own.</summary>
    private CalibrationText Write(Tokenizer tokenizer)
    {
        var (context, chunks) = (Context, parsed.GetValue(CalibrateOptions.Chunks) ?? DefaultSelfChunks);
        var known = Math.Min(settings.VocabularySize, tokenizer.Vocabulary.Count);
        var first = tokenizer.Vocabulary.Special.Bos ?? tokenizer.Vocabulary.Special.Eos ?? 0;
        var tokens = new int[checked(chunks * context)];
        var logits = new float[settings.VocabularySize];
        using var session = Model.CreateSession(new() { Context = context });
        using var progress = Progress.Start(parsed, environment, "write text", tokens.Length, ProgressUnit.Of("tokens"));
        for (var at = 0; at < tokens.Length; at += context)
        {
            var sampler = new Sampler(new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0, Seed = at / context });
            session.Rewind(0);
            tokens[at] = first;
            for (var position = 1; position < context; position++)
            {
                environment.Interrupted.ThrowIfCancellationRequested();
                session.Forward(tokens.AsSpan(at + position - 1, 1), logits);
                tokens[at + position] = sampler.Next(logits.AsSpan(0, known));
            }
            progress.Report(at + context);
        }
        return new(CalibrateOptions.Self, tokens, context, tokenizer.Vocabulary.AddBos ? tokenizer.Vocabulary.Special.Bos : null);
    }
}
