using System.Diagnostics;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Runtime.Benchmarks;

/// <summary>Both programs take turns on the same file, threads and tokens, so that what else the machine does falls on both; medians of the rounds.</summary>
internal static class SpeedComparison
{
    private const int Prompt = 512;
    private const int Generated = 32;
    private const int Rounds = 3;

    public static void WriteHeader()
    {
        Console.WriteLine("| format | threads | decode tokens/s | llama.cpp | ratio | GB/s of weights | prefill 512 tokens/s | llama.cpp | ratio |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    }

    public static void Run(string path, NumberFormat format)
    {
        foreach (var threads in (int[])[1, 2])
        {
            using var pool = new ComputePool(threads);
            using var model = TransformerModel.Load(path, pool);
            using var ours = model.CreateSession(new() { Context = Prompt + Generated });
            using var theirs = new LlamaSession(path, Prompt + Generated, threads);
            var logits = new float[SyntheticModel.Vocabulary];
            List<(double Decode, double Prefill)> own = [], peer = [];
            for (var round = 0; round <= Rounds; round++)
            {
                var (mine, other) = (
                    Measure(tokens => ours.Forward(tokens, logits), () => ours.Rewind(0)),
                    Measure(tokens => theirs.Forward(tokens), theirs.Clear));
                // The first round compiles and touches pages.
                if (round > 0)
                {
                    own.Add(mine);
                    peer.Add(other);
                }
            }
            var (decode, prefill, decodePeer, prefillPeer) = (Median(own, each => each.Decode), Median(own, each => each.Prefill), Median(peer, each => each.Decode), Median(peer, each => each.Prefill));
            // A token reads every weight but the embedding's other rows.
            var read = decode * (model.WeightBytes - format.BytesFor((long)SyntheticModel.Vocabulary * 2048)) / 1e9;
            Console.WriteLine($"| {format} | {threads} | {decode:0.0} | {decodePeer:0.0} | {decode / decodePeer:0.00} | {read:0.0} | {prefill:0} | {prefillPeer:0} | {prefill / prefillPeer:0.00} |");
        }
    }

    /// <summary>Tokens per second: one by one behind a prompt of 8, and <see cref="Prompt"/> at once.</summary>
    private static (double Decode, double Prefill) Measure(Action<int[]> forward, Action clear)
    {
        clear();
        forward([1, 500, 501, 502, 503, 504, 505, 506]);
        var watch = Stopwatch.StartNew();
        for (var token = 0; token < Generated; token++)
            forward([1000 + token]);
        var decode = Generated / watch.Elapsed.TotalSeconds;
        clear();
        int[] prompt = [.. Enumerable.Range(1000, Prompt)];
        watch.Restart();
        forward(prompt);
        return (decode, Prompt / watch.Elapsed.TotalSeconds);
    }

    private static double Median<T>(List<T> values, Func<T, double> of) => values.Select(of).Order().ElementAt(values.Count / 2);
}
