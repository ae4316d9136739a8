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
        @"A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ";

    private const string BloomWords = " ?[^(\\s|.,!?…。，、।۔،)]+";

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
            new("[\r\n]"), new($@"\s?[{DeepseekLetters}]+"), new(@"\s?[!-/:-~！-／：-～‘-‟　-。]+"), new(@"\s+$"), new("[一-龥ࠀ-一가-퟿]+"), new(SplitPatterns.Digits),
        ]),
        (["deepseek-coder"], [new("[\r\n]"), new(@"\s?\p{L}+"), new(@"\s?\p{P}+"), new("[一-龥ࠀ-一가-퟿]+"), new(SplitPatterns.Digit)]),
        (["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
            [new(SplitPatterns.UpToThreeDigits), new("[一-龥\u3040-ゟ゠-ヿ]+"), new(SplitPatterns.Deepseek3)]),
        (["falcon"],
        [
            new(SplitPatterns.Punctuation, SplitBehavior.Contiguous), new(SplitPatterns.Gpt2), new(SplitPatterns.Digits), new(SplitPatterns.ThreeAsciiDigits),
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
