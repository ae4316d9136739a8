using System.Text;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Numerics.Benchmarks;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Checkpoints.Benchmarks;

/// <summary>How long a vocabulary takes to load and a text to encode, beside llama.cpp on the same file; both take turns, processor time counts.</summary>
internal static class TokenizerSpeed
{
    private const int Rounds = 5;

    public static void WriteHeader() => Console.WriteLine("""
        | vocabulary | tokens | load, ms | llama.cpp | encode, MB/s | llama.cpp | ratio |
        |---|--:|--:|--:|--:|--:|--:|
        """);

    public static void Run(string path, string text)
    {
        var megabytes = Encoding.UTF8.GetByteCount(text) / 1e6;
        var (ourLoad, theirLoad, ours, theirs) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            Tokenizer? tokenizer = null;
            Llama? llama = null;
            ourLoad.Add(Seconds(() => tokenizer = Tokenizer.Load(path)));
            theirLoad.Add(Seconds(() => llama = Llama.Load(path, vocabularyOnly: true)));
            int[] found = [], expected = [];
            ours.Add(Seconds(() => found = tokenizer!.Encode(text)));
            theirs.Add(Seconds(() => expected = llama!.Tokenize(text)));
            llama!.Dispose();
            if (round > 0)
                continue;
            // The first round compiles; it also says whether both did the same work.
            var differing = found.Length != expected.Length ? Math.Abs(found.Length - expected.Length) : found.Zip(expected).Count(pair => pair.First != pair.Second);
            if (differing > 0)
                Console.Error.WriteLine($"{Path.GetFileName(path)}: {differing} of {expected.Length} tokens differ");
            foreach (var times in (List<double>[])[ourLoad, theirLoad, ours, theirs])
                times.Clear();
        }
        Console.WriteLine($"| {Path.GetFileNameWithoutExtension(path).Replace("ggml-vocab-", "", StringComparison.Ordinal)} | {Tokenizer.Load(path).Vocabulary.Count:N0} | {1e3 * Median(ourLoad):0} | {1e3 * Median(theirLoad):0} "
            + $"| {megabytes / Median(ours):0.0} | {megabytes / Median(theirs):0.0} | {Median(theirs) / Median(ours):0.0} |");
    }

    private static double Seconds(Action work)
    {
        GC.Collect();
        var start = ThreadClock.Seconds();
        work();
        return ThreadClock.Seconds() - start;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
