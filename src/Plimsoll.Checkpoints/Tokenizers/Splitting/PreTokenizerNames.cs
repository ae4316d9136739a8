using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>The splitting rules that GGUF names (<c>tokenizer.ggml.pre</c>).</summary>
/// <remarks>
/// Names: llama.cpp v0.5.0, src/llama-vocab.cpp. Patterns: the <c>tokenizer.json</c> of those models, which llama.cpp rewrites for its own engine;
/// where its rewriting only comes near (upper and lower case beyond ASCII in <c>gpt-4o</c> and <c>tekken</c>) we keep the models' own.
/// </remarks>
internal static class PreTokenizerNames
{
    private const string LlamaContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

    /// <summary>The letters of bicameral scripts as DeepSeek lists them.</summary>
    private const string DeepseekLetters =
        "A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386"
        + "\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA"
        + "\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D"
        + "\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC"
        + "\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184"
        + "\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-"
        + "\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3\U000104D8-\U000104FB\U00010C80-\U00010CB2\U00010CC0-"
        + "\U00010CF2\U000118A0-\U000118DF\U0001E900-\U0001E943";

    private const string HanAndHangul = "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+";

    private const string BloomWords = " ?[^(\\s|.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C)]+";

    private static readonly (string[] Names, SplitStep[] Steps)[] Rows =
    [
        (["gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat", "a.x-4.0", "mellum", "modern-bert", "roberta-bpe",
            "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en", "jina-v2-code"], [new(SplitPatterns.Gpt2)]),
        (["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"], [new(SplitPatterns.Digit), new(SplitPatterns.Gpt2)]),
        (["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano", "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
            [new(SplitPatterns.Llama3)]),
        (["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "hunyuan", "solar-open", "megrez", "grok-2"], [new(SplitPatterns.Qwen2)]),
        (["qwen35"], [new(SplitPatterns.Qwen35)]),
        (["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", "granite-embed-multi-97m"], [new(SplitPatterns.Gpt4O)]),
        (["tiny_aya", "cohere2moe"], [new(@"\d{1,3}(?=(?:\d{3})*\b)"), new(SplitPatterns.Gpt4O)]),
        (["tekken"], [new(SplitPatterns.Tekken)]),
        (["deepseek-llm"],
        [
            new("[\r\n]"), new($"\\s?[{DeepseekLetters}]+"), new("\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+"),
            new(@"\s+$"), new(HanAndHangul), new(SplitPatterns.Digits),
        ]),
        (["deepseek-coder"], [new("[\r\n]"), new(@"\s?\p{L}+"), new(@"\s?\p{P}+"), new(HanAndHangul), new(SplitPatterns.Digit)]),
        (["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
            [new(SplitPatterns.UpToThreeDigits), new("[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+"), new(SplitPatterns.Deepseek3)]),
        (["falcon"],
        [
            new(SplitPatterns.Punctuation, SplitBehavior.Contiguous), new(SplitPatterns.Gpt2), new(SplitPatterns.Digits, onBytes: true), new(SplitPatterns.ThreeAsciiDigits, onBytes: true),
        ]),
        (["default"],
        [
            new(@"[\p{P}\$\+<=>\^~\|]+"), new(SplitPatterns.Gpt2), new(SplitPatterns.Digits), new(SplitPatterns.ThreeAsciiDigits),
        ]),
        (["bloom", "poro-chat", "gpt3-finnish"], [new(BloomWords)]),
        (["viking"], [new(BloomWords), new(SplitPatterns.Digit)]),
        (["bailingmoe", "bailingmoe2", "llada-moe"],
            [new(@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")]),
        (["seed-coder"], [new(LlamaContractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+")]),
        (["minicpm5"], [new(SplitPatterns.UpToThreeDigits), new(LlamaContractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")]),
        (["exaone-moe"], [new(LlamaContractions + @"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+")]),
        (["superbpe"], [new(SplitPatterns.Digits), new(@"(?=(\d{3})+(?!\d))")]),
        (["chameleon"],
        [
            new("<sentinel:[0-9]+>"), new("(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"), new("([\\t\\n]|    |  )"), new(SplitPatterns.Digit), new(SplitPatterns.Punctuation), new(SplitPatterns.Gpt2),
        ]),
        (["gemma4", "sarvam-moe", "granite-embed-multi-311m"], [new(SplitPatterns.NewLines)]),
    ];

    private static readonly Dictionary<string, SplitStep[]> ByName = Rows.SelectMany(row => row.Names.Select(name => (name, row.Steps))).ToDictionary(row => row.name, row => row.Steps);

    public static IEnumerable<string> Known => ByName.Keys;

    /// <summary>The steps of a name; null for a name that we do not know.</summary>
    public static ImmutableArray<SplitStep>? Find(string name) => ByName.TryGetValue(name, out var steps) ? [.. steps] : null;

    /// <summary>The name for the steps of a <c>tokenizer.json</c>; null when GGUF has none.</summary>
    /// <param name="ignoresMerges">llama.cpp takes it from the name.</param>
    public static string? Recognize(JsonElement? preTokenizer, bool ignoresMerges)
    {
        if (!PreTokenizerSteps.TryParse(preTokenizer, out var parsed))
            return null;
        var row = Rows.FirstOrDefault(row => row.Steps.Length == parsed.Steps.Length && row.Steps.Zip(parsed.Steps).All(pair => pair.First.IsSame(pair.Second)));
        var name = row.Names?[0];
        return name == "llama-bpe" && !ignoresMerges ? "smaug-bpe" : name;
    }
}
