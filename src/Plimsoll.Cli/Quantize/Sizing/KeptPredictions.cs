using Plimsoll.Evaluation;
using Plimsoll.Evaluation.Logits;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Runtime;

namespace Plimsoll.Cli.Quantize.Sizing;

/// <summary>What a model predicted on a text, kept in a file to compare others with.</summary>
internal sealed class KeptPredictions
{
    private const string Key = "as it is";

    private readonly string path;
    private readonly EvaluationWindows windows;

    private KeptPredictions(string path, EvaluationWindows windows) => (this.path, this.windows) = (path, windows);

    /// <summary>Predictions that are compared.</summary>
    public int Count => windows.Count * windows.Scored;

    /// <param name="path">The file to write.</param>
    public static KeptPredictions Record(TransformerModel model, CalibrationText text, string path, CancellationToken cancellation)
    {
        var windows = new EvaluationWindows(text.Tokens.Span, text.Context, bos: text.Bos);
        using var session = model.CreateSession(new() { Context = text.Context });
        using var writer = new LogitsWriter(path, Key, session.VocabularySize, windows);
        new Evaluator(session, windows).Run(record: writer, cancellation: cancellation);
        writer.Complete();
        return new(path, windows);
    }

    /// <summary>How far a model is from them.</summary>
    public Divergence Compare(TransformerModel model, CancellationToken cancellation)
    {
        using var session = model.CreateSession(new() { Context = windows.Context });
        using var reader = LogitsReader.Open(path, Key, session.VocabularySize, windows, out _);
        return new Evaluator(session, windows).Run(reference: reader, cancellation: cancellation).Divergence!;
    }
}
