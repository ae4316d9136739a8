using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>What the programs that come with a list of ranks know: how text is split, and which special tokens follow the ranks.</summary>
/// <param name="Ranks">The number of lines, by which the family is recognized.</param>
/// <param name="Special">The special tokens, in the order of their ids from <paramref name="FirstSpecial"/> on.</param>
internal sealed record TiktokenFamily(string Name, int Ranks, string PreTokenizer, int FirstSpecial, ImmutableArray<string> Special, string? Bos, string Eos)
{
    /// <summary>Sources: meta-llama/llama-models, models/llama3/tokenizer.py; QwenLM/Qwen, tokenization_qwen.py; openai/tiktoken, tiktoken_ext/openai_public.py.</summary>
    private static readonly TiktokenFamily[] All =
    [
        new("Llama 3", 128_000, "llama-bpe", 128_000,
        [
            "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|step_id|>",
            "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
            .. Enumerable.Range(2, 245).Select(number => $"<|reserved_special_token_{number}|>"),
        ], "<|begin_of_text|>", "<|end_of_text|>"),
        new("Qwen", 151_643, "qwen2", 151_643,
            ["<|endoftext|>", "<|im_start|>", "<|im_end|>", .. Enumerable.Range(0, 205).Select(number => $"<|extra_{number}|>")], null, "<|endoftext|>"),
        new("cl100k_base", 100_256, "smaug-bpe", 100_257, ["<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"], null, "<|endoftext|>"),
        new("o200k_base", 199_998, "gpt-4o", 199_999, ["<|endoftext|>"], null, "<|endoftext|>"),
    ];

    /// <summary>The vocabulary with the family's special tokens; unchanged when no family has this number of ranks.</summary>
    public static Vocabulary Complete(Vocabulary ranks)
    {
        if (All.FirstOrDefault(family => family.Ranks == ranks.Count) is not { } family)
            return ranks;
        var gap = family.FirstSpecial - ranks.Count;
        ImmutableArray<string> tokens = [.. ranks.Tokens, .. Enumerable.Range(ranks.Count, gap).Select(id => $"[PAD{id}]"), .. family.Special];
        return ranks with
        {
            Tokens = tokens,
            Types = [.. ranks.Types, .. Enumerable.Repeat(TokenType.Unused, gap), .. Enumerable.Repeat(TokenType.Control, family.Special.Length)],
            PreTokenizer = family.PreTokenizer,
            Special = new() { Bos = Id(family.Bos), Eos = Id(family.Eos), Eot = SpecialTokenTexts.FindEndOfTurn(tokens) },
            AddBos = family.Bos is not null,
            IgnoreMerges = true,
        };

        int? Id(string? text) => text is null ? null : family.FirstSpecial + family.Special.IndexOf(text);
    }
}
