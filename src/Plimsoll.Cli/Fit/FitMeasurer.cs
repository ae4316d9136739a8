using System.CommandLine;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Cli.Calibrate;
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
    private readonly Lazy<CalibratedRecipe>? calibrated;

    /// <param name="source">The folder or file with the weights.</param>
    /// <param name="textPath">What the candidates are measured on.</param>
    /// <param name="calibrationPath">What calibrated candidates learn from; null for none.</param>
    public FitMeasurer(ParseResult parsed, CliEnvironment environment, string source, LocatedModel located, string textPath, string? calibrationPath)
    {
        (this.parsed, this.environment, this.source, this.located) = (parsed, environment, source, located);
        text = InputText.ReadFile(textPath);
        threads = environment.Processors;
        calibrated = calibrationPath is null ? null : new(() =>
        {
            using var run = CalibrationRun.Load(source, calibrationPath, threads, parsed, environment);
            return run.Calibrate();
        });
        folder = Directory.CreateTempSubdirectory("plimsoll-fit-").FullName;
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <param name="plan">Plans one precision, in the way of <see cref="FitSolver"/>.</param>
    /// <param name="output">Where the chosen one is to be kept; null for nowhere.</param>
    public FitMeasurement Run(FitResult result, Func<string, FitCandidate?> plan, string textName, string? output)
    {
        var start = environment.Time.GetTimestamp();
        var chosen = Likely(result).SelectMany(candidate => WithCalibrated(candidate, plan)).ToList();
        // Learning from the text writes progress of its own.
        _ = chosen.Exists(each => each.IsCalibrated) ? calibrated!.Value : null;
        using var progress = Progress.Start(parsed, environment, "fit", chosen.Count + 1, ProgressUnit.Of("models"));
        progress.Report(0, "as it is");
        var logits = Path.Combine(folder, "base.logits");
        var (windows, vocabulary, baseline) = MeasureBase(logits);
        var measured = new List<MeasuredCandidate>();
        foreach (var (candidate, isCalibrated) in chosen)
        {
            environment.Interrupted.ThrowIfCancellationRequested();
            progress.Report(measured.Count + 1, candidate.Precision);
            if (Measure(candidate, isCalibrated, windows, vocabulary, logits) is { } measurement)
                measured.Add(measurement);
        }
        var best = measured.Where(candidate => candidate.Candidate.Fits).MinBy(candidate => candidate.Divergence);
        var written = best is not null && output is not null ? Keep(best, output) : null;
        var sample = best is null ? null : Sample(PathOf(best.Candidate, best.IsCalibrated));
        return new(textName, baseline.ScoredTokens, baseline, [.. measured], best, written, sample, environment.Time.GetElapsedTime(start));
    }

    /// <summary>Candidates worth writing: all of a small model, so that its whole curve is seen; else the best expected ones that fit.</summary>
    private IEnumerable<FitCandidate> Likely(FitResult plan)
    {
        var others = plan.Candidates.Where(candidate => candidate.Request.Weights.Total.Bytes < located.Checkpoint!.StoredBytes);
        return located.Shape.Parameters <= Small ? others : others.Where(candidate => candidate.Fits).Take(MostOfLarge);
    }

    /// <summary>A file type with error feedback has the bytes of one with an importance matrix, which can differ from those without.</summary>
    private IEnumerable<(FitCandidate Candidate, bool IsCalibrated)> WithCalibrated(FitCandidate candidate, Func<string, FitCandidate?> plan)
    {
        yield return (candidate, false);
        if (calibrated is not null && IsGguf(candidate) && plan($"{candidate.Precision}+imatrix") is { } same)
            yield return (same, true);
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
    private MeasuredCandidate? Measure(FitCandidate candidate, bool isCalibrated, EvaluationWindows windows, int vocabulary, string logits)
    {
        try
        {
            Write(candidate, isCalibrated, PathOf(candidate, isCalibrated), replace: false);
        }
        catch (QuantizationRefusedException)
        {
            return null;
        }
        using var model = EvalModel.Load(PathOf(candidate, isCalibrated), text, threads, environment);
        using var session = model.CreateSession(new() { Context = windows.Context, KeyValueFormat = candidate.Request.KvFormat.Key });
        using var reader = LogitsReader.Open(logits, source, vocabulary, windows, out _);
        var result = new Evaluator(session, windows).Run(reference: reader, cancellation: environment.Interrupted);
        using var planned = model.CreateSession(new() { Context = (int)candidate.Request.Context, KeyValueFormat = candidate.Request.KvFormat.Key, Batch = candidate.Request.LlamaCpp.MicroBatch });
        return new(candidate, isCalibrated, model.FileBytes, model.BitsPerWeight, result, model.WeightBytes, planned.CacheBytes);
    }

    private string PathOf(FitCandidate candidate, bool isCalibrated) =>
        Path.Combine(folder, candidate.Precision.Replace(':', '-') + (isCalibrated ? "-calibrated" : "") + (IsGguf(candidate) ? ".gguf" : ""));

    private static bool IsGguf(FitCandidate candidate) => candidate.Precision.StartsWith("gguf:", StringComparison.Ordinal);

    private void Write(FitCandidate candidate, bool isCalibrated, string target, bool replace)
    {
        var plan = Plan(candidate, isCalibrated, Path.GetFileName(target));
        QuantizationRunner.Run(plan, new()
        {
            Target = target,
            Recipe = $"plimsoll fit {candidate.Precision} {(isCalibrated ? calibrated!.Value.Digest : "")}",
            SourceFiles = located.Checkpoint!.Files,
            Threads = threads,
            Replace = replace,
            Disk = environment.Disk,
            Time = environment.Time,
        }, environment.Interrupted);
    }

    private OutputPlan Plan(FitCandidate candidate, bool isCalibrated, string name) => IsGguf(candidate)
        ? GgufConversion.Plan(located, new GgufRecipe
        {
            FileName = name,
            FileType = GgufFileType.Find(candidate.Precision["gguf:".Length..].Replace("+imatrix", "", StringComparison.Ordinal))!,
            Importance = isCalibrated ? calibrated!.Value.Importance : null,
            Feedback = isCalibrated ? calibrated!.Value.Feedback : null,
        })
        : HuggingFaceConversion.Plan(located, HuggingFaceRecipe.Find(candidate.Precision) ?? throw new QuantizationRefusedException($"{candidate.Precision} cannot be written"));

    private string Keep(MeasuredCandidate chosen, string output)
    {
        Write(chosen.Candidate, chosen.IsCalibrated, output, replace: parsed.GetValue(FitCommand.Force));
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
