using System.CommandLine;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Eval;

/// <summary>The options of <c>plimsoll eval</c>.</summary>
internal static class EvalOptions
{
    public static readonly Argument<string[]> Models = new("MODEL")
    {
        Description = "a folder or file with the weights; several are compared in a table",
        Arity = ArgumentArity.OneOrMore,
    };

    public static readonly Option<string> Text = new("--text", "-f") { Description = "a text file in UTF-8", HelpName = "FILE", Required = true };
    public static readonly Option<string?> Against = new("--against") { Description = "the model to measure the divergence from, usually the unquantized one", HelpName = "BASE" };
    public static readonly Option<int?> Context = OptionValues.Count("--context", "tokens of a window; 512, or fewer where the model holds fewer", minimum: 4);
    public static readonly Option<int?> Chunks = OptionValues.Count("--chunks", "windows to use; all that the text fills when left out");
    public static readonly Option<string?> Logits = new("--logits") { Description = "keep the predictions of BASE in this file, and use those that it holds", HelpName = "FILE" };
    public static readonly Option<string?> Plot = new("--plot") { Description = "draw size against divergence (or perplexity) into this .svg file", HelpName = "FILE" };
    public static readonly Option<string> CachePrecision = new("--kv-precision") { Description = "number format of the KV cache: f32, f16, bf16, q8_0, q4_0", DefaultValueFactory = _ => "f16" };
    public static readonly Option<int?> Threads = OptionValues.Count("--threads", "threads; one per processor when left out", maximum: 1024);

    public static IReadOnlyList<Option> All => [Text, Against, Context, Chunks, Logits, Plot, CachePrecision, Threads];

    /// <exception cref="CliException">The format cannot hold a cache.</exception>
    public static NumberFormat ReadCachePrecision(ParseResult parsed)
    {
        var name = parsed.GetValue(CachePrecision)!;
        return NumberFormats.Find(name) is { } format && format.Name is "FP32" or "FP16" or "BF16" or "Q8_0" or "Q4_0"
            ? NumberFormats.Find(name)!
            : throw CliException.WrongUsage($"a KV cache in '{name}' is not possible", "f32, f16, bf16, q8_0 and q4_0 are");
    }
}
