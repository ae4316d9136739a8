using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Evaluation.Logits;
using Plimsoll.Numerics;
using Plimsoll.Runtime;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Evaluation.Tests;

/// <summary>A really trained model (stories260K) against llama.cpp: figures of its perplexity program, and its logits.</summary>
public class LlamaCppEvaluationTests
{
    private const string Model = "models/stories260k/stories260K-";

    /// <summary>llama-perplexity (February 2025), 512-token windows, 40 of them, on the TinyStories opening.</summary>
    [Fact]
    public void The_perplexity_is_that_of_llama_perplexity()
    {
        using var model = TransformerModel.Load(SharedData.Require(Model + "f32.gguf"));
        using var session = model.CreateSession(new() { Context = 512 });
        var result = new Evaluator(session, Windows(512, 40)).Run();
        Assert.Equal(40 * 255, result.ScoredTokens);
        Assert.InRange(result.Perplexity.Value, 3.8467 * 0.9995, 3.8467 * 1.0005);
    }

    /// <summary>The definition of the divergence, transcribed, on libllama's logits of both files.</summary>
    [Fact]
    public void The_divergence_is_that_of_the_logits_of_llama_cpp()
    {
        using var folder = new TemporaryFolder();
        var windows = Windows(256, 4);
        var (reference, changed) = (Peer("f32", windows), Peer("Q4_K_M", windows));
        var (divergences, same) = (new List<double>(), 0);
        foreach (var (p, q) in reference.Zip(changed))
        {
            divergences.Add(p.Zip(q).Sum(pair => Math.Exp(pair.First) * (pair.First - pair.Second)));
            same += Array.IndexOf(p, p.Max()) == Array.IndexOf(q, q.Max()) ? 1 : 0;
        }

        Run("f32", windows, record: new(folder.File("base"), "f32", 512, windows));
        var result = Run("Q4_K_M", windows, reference: LogitsReader.Open(folder.File("base"), "f32", 512, windows, out _));
        Assert.InRange(result.Mean.Value / divergences.Average(), 0.97, 1.03);
        Assert.InRange(result.SameTop.Value - (double)same / divergences.Count, -0.02, 0.02);
        divergences.Sort();
        Assert.InRange(result.Median / divergences[divergences.Count / 2], 0.9, 1.1);
        Assert.InRange(result.Max / divergences[^1], 0.9, 1.1);
    }

    private static Divergence Run(string format, EvaluationWindows windows, LogitsWriter? record = null, LogitsReader? reference = null)
    {
        using var model = TransformerModel.Load(SharedData.Require($"{Model}{format}.gguf"));
        using var session = model.CreateSession(new() { Context = windows.Context, KeyValueFormat = NumberFormats.Fp32 });
        using (record)
        using (reference)
        {
            var result = new Evaluator(session, windows).Run(record: record, reference: reference);
            record?.Complete();
            return result.Divergence!;
        }
    }

    private static EvaluationWindows Windows(int context, int count)
    {
        var tokenizer = Tokenizer.Load(SharedData.Require(Model + "f32.gguf"));
        var ids = tokenizer.Encode(File.ReadAllText(SharedData.Require("text/tinystories_train_clean.txt")));
        return new(ids, context, count, tokenizer.Vocabulary.AddBos ? tokenizer.Vocabulary.Special.Bos : null);
    }

    /// <summary>Log-probabilities of the scored positions.</summary>
    private static List<double[]> Peer(string format, EvaluationWindows windows)
    {
        using var peer = Llama.Load(SharedData.Require($"{Model}{format}.gguf"));
        var rows = new List<double[]>();
        var input = new int[windows.Context];
        for (var window = 0; window < windows.Count; window++)
        {
            windows.Read(window, input);
            foreach (var logits in peer.Logits(input)[windows.First..^1])
            {
                var sum = Math.Log(logits.Sum(logit => Math.Exp(logit)));
                rows.Add([.. logits.Select(logit => logit - sum)]);
            }
        }
        return rows;
    }
}
