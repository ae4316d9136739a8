using System.CommandLine;
using System.Globalization;
using Plimsoll.Evaluation;
using Plimsoll.Evaluation.Logits;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Running;
using Plimsoll.Runtime;

namespace Plimsoll.Cli.Eval;

/// <summary>Measures the models one after the other, the base first and once.</summary>
internal sealed class EvalRun : IDisposable
{
    private const int DefaultContext = 512;

    private readonly ParseResult _parsed;
    private readonly CliEnvironment _environment;
    private readonly string _text;
    private readonly int _threads;
    private readonly NumberFormat _cache;
    private readonly string _logits;
    private readonly bool _isTemporary;
    private EvaluationWindows? _windows;
    private int _vocabulary;
    private string _baseKey = "";

    public EvalRun(ParseResult parsed, CliEnvironment environment)
    {
        (_parsed, _environment) = (parsed, environment);
        _cache = EvalOptions.ReadCachePrecision(parsed);
        _text = InputText.ReadFile(parsed.GetValue(EvalOptions.Text)!);
        _threads = parsed.GetValue(EvalOptions.Threads) ?? environment.Processors;
        _isTemporary = parsed.GetValue(EvalOptions.Logits) is null;
        _logits = parsed.GetValue(EvalOptions.Logits) ?? Path.Combine(Path.GetTempPath(), $"plimsoll-{Path.GetRandomFileName()}.logits");
    }

    public EvalReport Run()
    {
        var isCompared = _parsed.GetValue(EvalOptions.Against) is not null;
        var reference = isCompared ? MeasureBase(_parsed.GetValue(EvalOptions.Against)!) : null;
        var lines = _parsed.GetValue(EvalOptions.Models)!.Select(name => Measure(name, isCompared)).ToList();
        return new(_parsed.GetValue(EvalOptions.Text)!, _windows!.Context, _windows.Count, reference, lines, ProcessMemory.Peak());
    }

    public void Dispose()
    {
        if (_isTemporary)
            File.Delete(_logits);
    }

    /// <summary>Runs the base and keeps its predictions, unless they were kept before.</summary>
    private EvalLine MeasureBase(string name)
    {
        using var model = EvalModel.Load(name, _text, _threads, _environment);
        _windows = Windows(model);
        _vocabulary = model.VocabularySize;
        _baseKey = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(name)))}, {model.FileBytes} bytes, cache {_cache}");
        if (!_isTemporary && File.Exists(_logits))
        {
            using var kept = LogitsReader.Open(_logits, _baseKey, _vocabulary, _windows, out var difference)
                ?? throw CliException.WrongUsage($"{_logits} cannot be used: {difference}", "name another file with --logits, or remove this one");
            return new(name, model.FileBytes, model.BitsPerWeight, Evaluator.Recall(kept, _windows), null);
        }
        using var writer = new LogitsWriter(_logits, _baseKey, _vocabulary, _windows);
        var line = Evaluate(model, _windows, record: writer);
        writer.Complete();
        return line;
    }

    private EvalLine Measure(string name, bool isCompared)
    {
        using var model = EvalModel.Load(name, _text, _threads, _environment);
        var windows = _windows is null ? Windows(model) : Windows(model, _windows);
        _windows ??= windows;
        if (!isCompared)
            return Evaluate(model, windows);
        if (model.VocabularySize != _vocabulary || !windows.Tokens.SequenceEqual(_windows.Tokens) || windows.Bos != _windows.Bos)
            throw CliException.WrongUsage($"{name} has another tokenizer or vocabulary than {_parsed.GetValue(EvalOptions.Against)}", "a divergence is between predictions of the same tokens");
        using var reader = LogitsReader.Open(_logits, _baseKey, _vocabulary, _windows, out _);
        return Evaluate(model, windows, reference: reader);
    }

    /// <summary>As many windows of as many tokens as the first model had, of this model's own tokens.</summary>
    private EvaluationWindows Windows(EvalModel model, EvaluationWindows first)
    {
        Check(model, first.Context);
        return new(model.Tokens, first.Context, first.Count, model.Bos);
    }

    private EvaluationWindows Windows(EvalModel model)
    {
        var context = _parsed.GetValue(EvalOptions.Context) ?? Math.Min(DefaultContext, model.MaxContext ?? DefaultContext);
        Check(model, context);
        return new(model.Tokens, context, _parsed.GetValue(EvalOptions.Chunks), model.Bos);
    }

    private void Check(EvalModel model, int context)
    {
        if (context > model.MaxContext && model.HasLearnedPositions)
            throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"{model.Name} has learned {model.MaxContext} positions, and a window has {context} tokens"), $"--context {model.MaxContext} is the most");
        if (context > model.MaxContext && _windows is null && !_parsed.GetValue(GlobalOptions.Quiet))
            _environment.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"plimsoll: {model.Name} was made for {model.MaxContext} tokens; windows of {context} go beyond what it was trained with"));
        if (model.Tokens.Length < context)
        {
            throw CliException.BadInput(
                string.Create(CultureInfo.InvariantCulture, $"{_parsed.GetValue(EvalOptions.Text)}: {model.Tokens.Length} tokens do not fill a window of {context}"),
                model.Tokens.Length >= 4 ? $"use more text, or --context {model.Tokens.Length} at most" : "use more text");
        }
    }

    private EvalLine Evaluate(EvalModel model, EvaluationWindows windows, LogitsWriter? record = null, LogitsReader? reference = null)
    {
        using var session = model.CreateSession(new SessionOptions { Context = windows.Context, KeyValueFormat = _cache });
        using var progress = Progress.Start(_parsed, _environment, "eval", (long)windows.Count * windows.Context, ProgressUnit.Of("tokens"));
        var start = _environment.Time.GetTimestamp();
        var result = new Evaluator(session, windows).Run(done => progress.Report((long)done * windows.Context, Path.GetFileName(model.Name)), record, reference, _environment.Interrupted);
        var seconds = _environment.Time.GetElapsedTime(start).TotalSeconds;
        return new(model.Name, model.FileBytes, model.BitsPerWeight, result, seconds > 0 ? (double)windows.Count * windows.Context / seconds : null);
    }
}
