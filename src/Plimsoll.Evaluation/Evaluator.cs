using Plimsoll.Evaluation.Logits;
using Plimsoll.Runtime;

namespace Plimsoll.Evaluation;

/// <summary>Runs a model over the windows of a text and scores its predictions.</summary>
public sealed class Evaluator
{
    /// <summary>Logits that are held at once; windows with more are computed in parts.</summary>
    private const int MaxLogits = 16 << 20;

    private readonly ICausalModel _model;
    private readonly EvaluationWindows _windows;
    private readonly int[] _input;
    private readonly int _rows;
    private readonly float[] _logits;

    /// <exception cref="ArgumentException">The windows do not fit the model's context, or have tokens outside its vocabulary.</exception>
    public Evaluator(ICausalModel model, EvaluationWindows windows)
    {
        if (windows.Context > model.Context)
            throw new ArgumentException($"windows of {windows.Context} tokens do not fit a context of {model.Context}", nameof(windows));
        foreach (var token in windows.Tokens)
        {
            if ((uint)token >= (uint)model.VocabularySize)
                throw new ArgumentException($"the text has token {token}, and the model's vocabulary {model.VocabularySize} tokens", nameof(windows));
        }
        (_model, _windows) = (model, windows);
        _input = new int[windows.Context];
        _rows = Math.Clamp(MaxLogits / model.VocabularySize, 1, windows.Scored);
        _logits = new float[checked(_rows * model.VocabularySize)];
    }

    /// <param name="progress">Called with the number of windows done.</param>
    /// <param name="record">Where the predictions are kept, so that others can be compared with them.</param>
    /// <param name="reference">The kept predictions of a base over the same windows.</param>
    /// <exception cref="OperationCanceledException">It was cancelled between two parts of a window.</exception>
    /// <exception cref="IOException">The kept predictions cannot be written or read.</exception>
    public EvaluationResult Run(Action<int>? progress = null, LogitsWriter? record = null, LogitsReader? reference = null, CancellationToken cancellation = default)
    {
        var loss = new RunningMean();
        var divergence = reference is null ? null : new DivergenceMeter();
        for (var window = 0; window < _windows.Count; window++)
        {
            _windows.Read(window, _input);
            _model.Rewind(0);
            _model.Forward(_input.AsSpan(0, _windows.First), []);
            // The last token of a window is predicted, and predicts nothing.
            for (var position = _windows.First; position < _windows.Context - 1; position += _rows)
            {
                cancellation.ThrowIfCancellationRequested();
                Score(position, Math.Min(_rows, _windows.Context - 1 - position), ref loss, divergence, record, reference);
            }
            progress?.Invoke(window + 1);
        }
        return Result(loss, divergence);
    }

    /// <summary>The perplexity that kept predictions have, without running their model.</summary>
    /// <exception cref="IOException">The kept predictions cannot be read.</exception>
    public static EvaluationResult Recall(LogitsReader kept, EvaluationWindows windows)
    {
        var loss = new RunningMean();
        for (var prediction = 0; prediction < windows.Count * windows.Scored; prediction++)
        {
            kept.Read();
            loss.Add(-kept.TargetLogProbability);
        }
        return Result(loss, null);
    }

    private static EvaluationResult Result(RunningMean loss, DivergenceMeter? divergence)
    {
        var mean = loss.Estimate;
        var perplexity = Math.Exp(mean.Value);
        return new(loss.Count, new(perplexity, perplexity * mean.Error), divergence?.Result());
    }

    private void Score(int position, int count, ref RunningMean loss, DivergenceMeter? divergence, LogitsWriter? record, LogitsReader? reference)
    {
        var vocabulary = _model.VocabularySize;
        _model.Forward(_input.AsSpan(position, count), _logits.AsSpan(0, count * vocabulary));
        for (var index = 0; index < count; index++)
        {
            var logits = _logits.AsSpan(index * vocabulary, vocabulary);
            var row = LogitRow.Of(logits);
            var target = _input[position + index + 1];
            var logProbability = row.LogProbability(logits[target]);
            loss.Add(-logProbability);
            record?.Write(logits, row, logProbability);
            if (divergence is null)
                continue;
            reference!.Read();
            divergence.Add(logits, row, target, reference.Row, reference.Top, reference.TargetLogProbability);
        }
    }
}
