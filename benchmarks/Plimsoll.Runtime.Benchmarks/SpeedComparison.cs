using System.Diagnostics;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Benchmarks;
using Plimsoll.Numerics.Linear;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Runtime.Benchmarks;

/// <summary>Both programs take turns on the same file, threads and tokens, so that what else the machine does falls on both.</summary>
/// <remarks>
/// With one thread its processor time counts, medians of the rounds; with more the wall clock, the best of the rounds, since other programs only add to it.
/// </remarks>
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
                    Measure(threads, tokens => ours.Forward(tokens, logits), () => ours.Rewind(0)),
                    Measure(threads, tokens => theirs.Forward(tokens), theirs.Clear));
                // The first round compiles and touches pages.
                if (round > 0)
                {
                    own.Add(mine);
                    peer.Add(other);
                }
            }
            Func<List<(double Decode, double Prefill)>, Func<(double Decode, double Prefill), double>, double> typical = threads == 1 ? Median : (values, of) => values.Max(of);
            var (decode, prefill, decodePeer, prefillPeer) = (typical(own, Decode), typical(own, Prefill), typical(peer, Decode), typical(peer, Prefill));
            // A token reads every weight but the embedding's other rows.
            var read = decode * (model.WeightBytes - format.BytesFor((long)SyntheticModel.Vocabulary * 2048)) / 1e9;
            Console.WriteLine($"| {format} | {threads} | {decode:0.0} | {decodePeer:0.0} | {decode / decodePeer:0.00} | {read:0.0} | {prefill:0} | {prefillPeer:0} | {prefill / prefillPeer:0.00} |");
        }
    }

    /// <summary>Tokens per second: one by one behind a prompt of 8, and <see cref="Prompt"/> at once.</summary>
    private static (double Decode, double Prefill) Measure(int threads, Action<int[]> forward, Action clear)
    {
        clear();
        forward([1, 500, 501, 502, 503, 504, 505, 506]);
        var start = Seconds(threads);
        for (var token = 0; token < Generated; token++)
            forward([1000 + token]);
        var decode = Generated / (Seconds(threads) - start);
        clear();
        int[] prompt = [.. Enumerable.Range(1000, Prompt)];
        start = Seconds(threads);
        forward(prompt);
        return (decode, Prompt / (Seconds(threads) - start));
    }

    private static double Seconds(int threads) => threads == 1 ? ThreadClock.Seconds() : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    private static double Decode((double Decode, double Prefill) speeds) => speeds.Decode;

    private static double Prefill((double Decode, double Prefill) speeds) => speeds.Prefill;

    private static double Median<T>(List<T> values, Func<T, double> of) => values.Select(of).Order().ElementAt(values.Count / 2);
}
