using System.Globalization;

namespace Plimsoll.Models.Catalog;

/// <summary>A Llama-shaped model of exactly the stated number of parameters: what <c>7b</c>, <c>13B</c> or <c>70b</c> stand for in rules of thumb.</summary>
/// <remarks>
/// Layers, width and heads are those of the published Llama that is nearest in size: ordinary attention below 30 billion parameters (as Llama 1 and 2 have), eight
/// key-value heads from there on (as Llama 2 70B has). The feed-forward width takes up the difference in steps of 256; what is left becomes one matrix and one vector
/// called <c>remainder</c>, so that the parameters sum exactly.
/// </remarks>
public static class BareSize
{
    private const int WidthStep = 256;

    /// <summary>Layers, hidden size, heads, key-value heads, feed-forward width, vocabulary, context of published models.</summary>
    private static readonly Template[] Templates =
    [
        new("stories15M (llama2.c)", 6, 288, 6, 6, 768, 32000, 256, Tied: true),
        new("stories42M (llama2.c)", 8, 512, 8, 8, 1376, 32000, 1024, Tied: true),
        new("stories110M (llama2.c)", 12, 768, 12, 12, 2048, 32000, 1024, Tied: true),
        new("Sheared LLaMA 1.3B", 24, 2048, 16, 16, 5504, 32000, 4096),
        new("OpenLLaMA 3B", 26, 3200, 32, 32, 8640, 32000, 2048),
        new("Llama 2 7B", 32, 4096, 32, 32, 11008, 32000, 4096),
        new("Llama 2 13B", 40, 5120, 40, 40, 13824, 32000, 4096),
        new("CodeLlama 34B", 48, 8192, 64, 8, 22016, 32000, 16384),
        new("Llama 2 70B", 80, 8192, 64, 8, 28672, 32000, 4096),
        new("Llama 3.1 405B", 126, 16384, 128, 8, 53248, 128256, 131072),
    ];

    /// <summary>The parameters that a text like <c>7b</c>, <c>1.5B</c>, <c>350m</c> or <c>1t</c> states; null when it is not of that form.</summary>
    public static long? Parse(string text)
    {
        var trimmed = text.Trim();
        if (trimmed.Length < 2 || !char.IsAsciiDigit(trimmed[0]))
            return null;
        decimal unit = trimmed[^1] switch
        {
            'm' or 'M' => 1e6m,
            'b' or 'B' => 1e9m,
            't' or 'T' => 1e12m,
            _ => 0,
        };
        if (unit == 0 || !decimal.TryParse(trimmed[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return null;
        return number is > 0 and <= 1_000_000_000 && number * unit <= long.MaxValue ? (long)(number * unit) : null;
    }

    /// <summary>The model that a bare size stands for; null when the text is not a bare size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is smaller than the smallest Llama-shaped model (15 million) or larger than 10 trillion.</exception>
    public static ModelShape? Create(string text)
    {
        if (Parse(text) is not { } parameters)
            return null;
        if (parameters is < 15_000_000 or > 10_000_000_000_000)
            throw new ArgumentOutOfRangeException(nameof(text), $"a bare size of {text} is outside 15m to 10t");
        return Create(text.Trim().ToLowerInvariant(), parameters);
    }

    private static ModelShape Create(string id, long parameters)
    {
        var template = Templates
            .Where(candidate => candidate.Parameters(WidthStep) <= parameters)
            .MinBy(candidate => Math.Abs(Math.Log((double)candidate.Parameters(candidate.Width) / parameters)))!;
        var perStep = template.Parameters(2 * WidthStep) - template.Parameters(WidthStep);
        var width = checked((int)((parameters - template.Parameters(0)) / perStep * WidthStep));
        var shape = template.Build(id, width);
        var rest = parameters - shape.Parameters;
        return shape with
        {
            Tensors = [.. shape.Tensors, .. Remainder(rest, template.Hidden)],
            Notes = [$"A Llama-shaped model of exactly {parameters:N0} parameters: layers, width and heads of {template.Name}, feed-forward width {width}."],
        };
    }

    private static IEnumerable<TensorShape> Remainder(long rest, int hidden)
    {
        if (rest / hidden > 0)
            yield return new() { Name = "remainder.weight", Dimensions = [rest / hidden, hidden], Role = TensorRole.FeedForward, IsLinear = true };
        if (rest % hidden > 0)
            yield return new() { Name = "remainder.bias", Dimensions = [rest % hidden], Role = TensorRole.Other };
    }

    private sealed record Template(string Name, int Layers, int Hidden, int Heads, int KeyValueHeads, int Width, int Vocabulary, int Context, bool Tied = false)
    {
        public long Parameters(int width) =>
            (Tied ? 1L : 2L) * Vocabulary * Hidden + Hidden + Layers * (2L * Hidden * Hidden + 2L * Hidden * KeyValueWidth + 3L * Hidden * width + 2L * Hidden);

        private int KeyValueWidth => Hidden / Heads * KeyValueHeads;

        public ModelShape Build(string id, int width)
        {
            var builder = new Architectures.ShapeBuilder();
            var facts = new Architectures.DecoderFacts
            {
                Hidden = Hidden,
                Layers = Layers,
                Heads = Heads,
                KeyValueHeads = KeyValueHeads,
                HeadDim = Hidden / Heads,
                FeedForward = width,
                Vocabulary = Vocabulary,
                MaxContext = Context,
                Tied = Tied,
            };
            Architectures.Decoder.Write(builder, facts, new(), "model.", "lm_head");
            return new()
            {
                Id = id,
                Architecture = "llama",
                HiddenSize = Hidden,
                VocabularySize = Vocabulary,
                MaxContext = Context,
                TiedEmbeddings = Tied,
                Layers = builder.Layers,
                Tensors = builder.Tensors,
                Source = "bare size",
            };
        }
    }
}
