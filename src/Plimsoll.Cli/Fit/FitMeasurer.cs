using System.CommandLine;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Cli.Eval;
using Plimsoll.Evaluation;
using Plimsoll.Evaluation.Logits;
using Plimsoll.Models;
using Plimsoll.Planning.Fitting;
using Plimsoll.Quantization;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;
using Plimsoll.Runtime;

namespace Plimsoll.Cli.Fit;

/// <summary>Writes the candidates of a fit, runs each over the same text, and keeps the one that fits with the least divergence from the base.</summary>
internal sealed class FitMeasurer : IDisposable
{
    /// <summary>Up to so many parameters every candidate is measured; of a larger model only the best that fit, since each takes minutes.</summary>
    private const long Small = 50_000_000;

    private const int MostOfLarge = 3;
    private const int DefaultContext = 512;
    private const int SampleTokens = 60;

    private readonly ParseResult parsed;
    private readonly CliEnvironment environment;
    private readonly string source;
    private readonly LocatedModel located;
    private readonly string text;
    private readonly int threads;
    private readonly string folder;

    /// <param name="source">The folder or file with the weights.</param>
    /// <param name="textPath">What the candidates are measured on.</param>
    public FitMeasurer(ParseResult parsed, CliEnvironment environment, string source, LocatedModel located, string textPath)
    {
        (this.parsed, this.environment, this.source, this.located) = (parsed, environment, source, located);
        text = InputText.ReadFile(textPath);
        threads = environment.Processors;
        folder = Directory.CreateTempSubdirectory("plimsoll-fit-").FullName;
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <param name="output">Where the chosen one is to be kept; null for nowhere.</param>
    public FitMeasurement Run(FitResult plan, string textName, string? output)
    {
        var start = environment.Time.GetTimestamp();
        var chosen = Likely(plan).ToList();
        using var progress = Progress.Start(parsed, environment, "fit", chosen.Count + 1, ProgressUnit.Of("models"));
        progress.Report(0, "as it is");
        var logits = Path.Combine(folder, "base.logits");
        var (windows, vocabulary, baseline) = MeasureBase(logits);
        var measured = new List<MeasuredCandidate>();
        foreach (var candidate in chosen)
        {
            environment.Interrupted.ThrowIfCancellationRequested();
            progress.Report(measured.Count + 1, candidate.Precision);
            if (Measure(candidate, windows, vocabulary, logits) is { } result)
                measured.Add(result);
        }
        var best = measured.Where(candidate => candidate.Candidate.Fits).MinBy(candidate => candidate.Divergence);
        var written = best is not null && output is not null ? Keep(best, output) : null;
        var sample = best is null ? null : Sample(PathOf(best.Candidate));
        return new(textName, baseline.ScoredTokens, baseline, [.. measured], best, written, sample, environment.Time.GetElapsedTime(start));
    }

    /// <summary>Candidates worth writing: all of a small model, so that its whole curve is seen; else the best expected ones that fit.</summary>
    private IEnumerable<FitCandidate> Likely(FitResult plan)
    {
        var others = plan.Candidates.Where(candidate => candidate.Request.Weights.Total.Bytes < located.Checkpoint!.StoredBytes);
        return located.Shape.Parameters <= Small ? others : others.Where(candidate => candidate.Fits).Take(MostOfLarge);
    }

    private (EvaluationWindows Windows, int Vocabulary, EvaluationResult Result) MeasureBase(string logits)
    {
        using var model = EvalModel.Load(source, text, threads, environment);
        var context = Math.Min(DefaultContext, model.MaxContext ?? DefaultContext);
        if (model.Tokens.Length < context)
            throw CliException.BadInput($"the text has {model.Tokens.Length} tokens, and one window of {context} is the least to measure on", "use more text");
        var windows = new EvaluationWindows(model.Tokens, context, bos: model.Bos);
        using var session = model.CreateSession(new() { Context = context });
        using var writer = new LogitsWriter(logits, source, model.VocabularySize, windows);
        var result = new Evaluator(session, windows).Run(record: writer, cancellation: environment.Interrupted);
        writer.Complete();
        return (windows, model.VocabularySize, result);
    }

    /// <summary>Null where the model cannot be written in the format; the plan's own row stays.</summary>
    private MeasuredCandidate? Measure(FitCandidate candidate, EvaluationWindows windows, int vocabulary, string logits)
    {
        try
        {
            Write(candidate, PathOf(candidate), replace: false);
        }
        catch (QuantizationRefusedException)
        {
            return null;
        }
        using var model = EvalModel.Load(PathOf(candidate), text, threads, environment);
        using var session = model.CreateSession(new() { Context = windows.Context, KeyValueFormat = candidate.Request.KvFormat.Key });
        using var reader = LogitsReader.Open(logits, source, vocabulary, windows, out _);
        var result = new Evaluator(session, windows).Run(reference: reader, cancellation: environment.Interrupted);
        using var planned = model.CreateSession(new() { Context = (int)candidate.Request.Context, KeyValueFormat = candidate.Request.KvFormat.Key, Batch = candidate.Request.LlamaCpp.MicroBatch });
        return new(candidate, model.FileBytes, model.BitsPerWeight, result, model.WeightBytes, planned.CacheBytes);
    }

    private string PathOf(FitCandidate candidate) =>
        Path.Combine(folder, candidate.Precision.Replace(':', '-') + (IsGguf(candidate) ? ".gguf" : ""));

    private static bool IsGguf(FitCandidate candidate) => candidate.Precision.StartsWith("gguf:", StringComparison.Ordinal);

    private QuantizationReport Write(FitCandidate candidate, string target, bool replace)
    {
        var plan = Plan(candidate, Path.GetFileName(target));
        return QuantizationRunner.Run(plan, new()
        {
            Target = target,
            Recipe = $"plimsoll fit {candidate.Precision}",
            SourceFiles = located.Checkpoint!.Files,
            Threads = threads,
            Replace = replace,
            Disk = environment.Disk,
            Time = environment.Time,
        }, environment.Interrupted);
    }

    private OutputPlan Plan(FitCandidate candidate, string name) => IsGguf(candidate)
        ? GgufConversion.Plan(located, new GgufRecipe { FileName = name, FileType = GgufFileType.Find(candidate.Precision["gguf:".Length..])! })
        : HuggingFaceConversion.Plan(located, HuggingFaceRecipe.Find(candidate.Precision) ?? throw new QuantizationRefusedException($"{candidate.Precision} cannot be written"));

    private string Keep(MeasuredCandidate chosen, string output)
    {
        Write(chosen.Candidate, output, replace: parsed.GetValue(FitCommand.Force));
        return output;
    }

    /// <summary>The text's own beginning, and how the model goes on.</summary>
    private string Sample(string path)
    {
        var tokenizer = Tokenizer.Load(path);
        using var model = TransformerModel.Load(path);
        var words = text.Split(' ', 5);
        var prompt = tokenizer.Encode(string.Join(' ', words.Take(4)));
        using var session = model.CreateSession(new() { Context = prompt.Length + SampleTokens });
        var logits = new float[session.VocabularySize];
        session.Forward(prompt, logits);
        var tokens = new List<int>(prompt);
        while (session.Position < session.Context)
        {
            var next = logits.AsSpan().IndexOf(logits.Max());
            if (tokenizer.EndOfGeneration.Contains(next))
                break;
            tokens.Add(next);
            session.Forward([next], logits);
        }
        return tokenizer.Decode(tokens.ToArray()).Trim();
    }
}
