using Plimsoll.Evaluation.Logits;

namespace Plimsoll.Evaluation.Tests;

public class EvaluatorTests
{
    private static readonly int[] Text = [.. Enumerable.Range(0, 100).Select(index => index * 7 % 13)];

    /// <summary>Logits without a pattern, far enough apart to be a distribution.</summary>
    private static float Rough(int position, int token, int next) => (float)(6 * Math.Sin(position * 1.7 + token * 0.9 + next * 2.3));

    [Fact]
    public void A_model_that_knows_nothing_has_the_perplexity_of_its_vocabulary()
    {
        var result = new Evaluator(new ScriptedModel(13, 16, (_, _, _) => 2.5f), new(Text, 16)).Run();
        Assert.Equal(13, result.Perplexity.Value, 5);
        Assert.Equal(0, result.Perplexity.Error, 5);
        Assert.Equal(6 * 7, result.ScoredTokens);
    }

    [Fact]
    public void The_second_half_of_each_window_is_scored_behind_its_first()
    {
        var windows = new EvaluationWindows(Text, 10, bos: 12);
        var model = new ScriptedModel(13, 10, Rough);
        var result = new Evaluator(model, windows).Run();
        var losses = new List<double>();
        for (var window = 0; window < 10; window++)
        {
            for (var position = 5; position < 9; position++)
            {
                var all = Enumerable.Range(0, 13).Select(next => Math.Exp(Rough(position, Text[window * 10 + position], next))).ToArray();
                losses.Add(-Math.Log(all[Text[window * 10 + position + 1]] / all.Sum()));
            }
        }
        Assert.Equal(losses.Count, result.ScoredTokens);
        Assert.Equal(losses.Average(), Math.Log(result.Perplexity.Value), 5);
        var variance = losses.Average(loss => loss * loss) - losses.Average() * losses.Average();
        Assert.Equal(Math.Sqrt(variance / (losses.Count - 1)), result.Perplexity.Error / result.Perplexity.Value, 5);
        Assert.Equal([12, .. Text[1..9], 12, .. Text[11..19]], model.Seen.Take(18));
    }

    [Fact]
    public void The_divergence_is_that_of_the_definition()
    {
        using var folder = new TemporaryFolder();
        static float Changed(int position, int token, int next) => Rough(position, token, next) + 0.3f * (float)Math.Cos(next * 5 + position);
        var windows = new EvaluationWindows(Text, 20);
        Keep(folder, windows, Rough);
        var result = Compare(folder, windows, Changed);

        var (divergences, changes, same) = (new List<double>(), new List<double>(), 0);
        for (var at = 0; at < 100; at++)
        {
            if (at % 20 is < 10 or 19)
                continue;
            var p = Softmax(next => Rough(at % 20, Text[at], next));
            var q = Softmax(next => Changed(at % 20, Text[at], next));
            divergences.Add(p.Zip(q).Sum(pair => pair.First * Math.Log(pair.First / pair.Second)));
            changes.Add(q[Text[at + 1]] - p[Text[at + 1]]);
            same += Array.IndexOf(p, p.Max()) == Array.IndexOf(q, q.Max()) ? 1 : 0;
        }
        divergences.Sort();
        Assert.Equal(divergences.Average(), result.Mean.Value, 4);
        Assert.Equal(divergences[22], result.Median, 3);
        Assert.Equal(divergences[^1], result.Max, 3);
        Assert.Equal((double)same / divergences.Count, result.SameTop.Value, 9);
        Assert.Equal(Math.Sqrt(changes.Average(change => change * change)), result.RmsProbabilityChange, 4);
        Assert.InRange(result.Percentile99, divergences[^2] - 1e-3, divergences[^1] + 1e-3);
    }

    [Fact]
    public void A_model_does_not_diverge_from_itself()
    {
        using var folder = new TemporaryFolder();
        var windows = new EvaluationWindows(Text, 20);
        Keep(folder, windows, Rough);
        var result = Compare(folder, windows, Rough);
        // What 16 bits of a log-probability leave: second order, 10⁻⁹ here.
        Assert.InRange(result.Mean.Value, 0, 1e-7);
        Assert.InRange(result.Max, 0, 1e-6);
        Assert.Equal((1.0, 0.0), (result.SameTop.Value, Math.Round(result.RmsProbabilityChange, 6)));
        Assert.Equal(0, result.LogPerplexityRatio.Value, 6);
    }

    [Fact]
    public void Kept_predictions_of_another_text_model_or_window_are_not_compared_with()
    {
        using var folder = new TemporaryFolder();
        var windows = new EvaluationWindows(Text, 20);
        Keep(folder, windows, Rough);
        var path = folder.File("base.logits");
        foreach (var (model, other) in new (string, EvaluationWindows)[] { ("b", windows), ("a", new(Text, 10)), ("a", new(Text, 20, limit: 2)), ("a", new(Text, 20, bos: 0)), ("a", new(Text[1..], 20)) })
        {
            Assert.Null(LogitsReader.Open(path, model, 13, other, out var difference));
            Assert.Contains("another model, text, context", difference, StringComparison.Ordinal);
        }
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
        Assert.Contains("cut off", Assert.Throws<Checkpoints.CheckpointFormatException>(() => LogitsReader.Open(path, "a", 13, windows, out _)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, "text");
        Assert.Throws<Checkpoints.CheckpointFormatException>(() => LogitsReader.Open(path, "a", 13, windows, out _));
    }

    [Fact]
    public void Nothing_stays_of_predictions_that_were_not_completed()
    {
        using var folder = new TemporaryFolder();
        using (var writer = new LogitsWriter(folder.File("base.logits"), "a", 13, new(Text, 20)))
            Assert.NotEmpty(Directory.GetFiles(folder.Path));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Windows_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new EvaluationWindows(Text, 101));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluationWindows(Text, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluationWindows(Text, 10, limit: 0));
        Assert.Throws<ArgumentException>(() => new Evaluator(new ScriptedModel(13, 16, Rough), new(Text, 17)));
        Assert.Throws<ArgumentException>(() => new Evaluator(new ScriptedModel(12, 16, Rough), new(Text, 16)));
    }

    [Fact]
    public void An_evaluation_can_be_cancelled()
    {
        using var source = new CancellationTokenSource();
        var evaluator = new Evaluator(new ScriptedModel(13, 16, Rough), new(Text, 16));
        Assert.Throws<OperationCanceledException>(() => evaluator.Run(window => source.Cancel(), cancellation: source.Token));
    }

    private static double[] Softmax(Func<int, float> logit)
    {
        var all = Enumerable.Range(0, 13).Select(next => Math.Exp(logit(next))).ToArray();
        return [.. all.Select(value => value / all.Sum())];
    }

    private static void Keep(TemporaryFolder folder, EvaluationWindows windows, Func<int, int, int, float> logit)
    {
        using var writer = new LogitsWriter(folder.File("base.logits"), "a", 13, windows);
        new Evaluator(new ScriptedModel(13, 20, logit), windows).Run(record: writer);
        writer.Complete();
    }

    private static Divergence Compare(TemporaryFolder folder, EvaluationWindows windows, Func<int, int, int, float> logit)
    {
        using var reader = LogitsReader.Open(folder.File("base.logits"), "a", 13, windows, out _)!;
        return new Evaluator(new ScriptedModel(13, 20, logit), windows).Run(reference: reader).Divergence!;
    }
}
