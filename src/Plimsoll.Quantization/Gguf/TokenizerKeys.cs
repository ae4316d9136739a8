using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Quantization.Gguf.Architectures;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Writes a vocabulary as the metadata of a GGUF file.</summary>
/// <remarks>Keys: llama.cpp v0.5.0, gguf-py/gguf/constants.py; what happens to tokens on the way: conversion/base.py.</remarks>
internal static class TokenizerKeys
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>The score of a token that stands for nothing: no merge ever gives it.</summary>
    private const float UnusedScore = -10000;

    /// <exception cref="CheckpointFormatException">There are more tokens than rows of the embedding, or text is split by a rule that llama.cpp has no name for.</exception>
    public static void Write(GgufKeyValues keys, Vocabulary vocabulary, GgufModel model)
    {
        var rows = model.Shape.VocabularySize;
        if (LastUsed(vocabulary) >= rows)
            throw new CheckpointFormatException(vocabulary.Path, null, $"at most {rows:N0} tokens, one for each row of the embedding", $"{LastUsed(vocabulary) + 1:N0}");
        var used = Math.Min(vocabulary.Count, rows);
        var types = Types(vocabulary, used, rows);
        keys.Text(Prefix + "model", vocabulary.Kind.GgufName());
        keys.Text(Prefix + "pre", PreTokenizer(vocabulary));
        keys.Texts(Prefix + "tokens", Tokens(vocabulary, types));
        if (!vocabulary.Scores.IsEmpty)
            keys.Float32s(Prefix + "scores", [.. vocabulary.Scores.Take(used), .. Enumerable.Repeat(UnusedScore, rows - used)]);
        keys.Int32s(Prefix + "token_type", [.. types.Select(type => (int)type)]);
        if (vocabulary.Kind is TokenizerKind.ByteLevelBpe or TokenizerKind.CharacterBpe)
            keys.Texts(Prefix + "merges", vocabulary.Merges);
        WriteSpecial(keys, vocabulary, model, rows);
        WriteRules(keys, vocabulary);
        if (vocabulary.ChatTemplate is { } template)
            keys.Text("tokenizer.chat_template", template);
    }

    private static void WriteSpecial(GgufKeyValues keys, Vocabulary vocabulary, GgufModel model, int rows)
    {
        var special = vocabulary.Special;
        Id("bos_token_id", special.Bos ?? model.TokenId("bos_token_id"));
        Id("eos_token_id", special.Eos ?? model.TokenId("eos_token_id"));
        Id("eot_token_id", special.Eot);
        Id("unknown_token_id", special.Unknown);
        // llama.cpp's own spelling.
        Id("seperator_token_id", special.Separator);
        Id("padding_token_id", special.Padding ?? model.TokenId("pad_token_id"));
        Id("mask_token_id", special.Mask);

        void Id(string name, int? id)
        {
            if (id is { } token && token < rows)
                keys.UInt32(Prefix + name, (uint)token);
        }
    }

    private static void WriteRules(GgufKeyValues keys, Vocabulary vocabulary)
    {
        keys.Boolean(Prefix + "add_bos_token", vocabulary.AddBos);
        keys.Boolean(Prefix + "add_eos_token", vocabulary.AddEos);
        if (vocabulary.Kind is not (TokenizerKind.SentencePieceBpe or TokenizerKind.Unigram))
            return;
        keys.Boolean(Prefix + "add_space_prefix", vocabulary.AddSpacePrefix);
        keys.Boolean(Prefix + "remove_extra_whitespaces", vocabulary.RemoveExtraWhitespaces);
        if (!vocabulary.CharactersMap.IsEmpty && vocabulary.Kind == TokenizerKind.Unigram)
            keys.UInt8s(Prefix + "precompiled_charsmap", vocabulary.CharactersMap.AsSpan());
    }

    /// <summary>The last token that stands for something.</summary>
    private static int LastUsed(Vocabulary vocabulary)
    {
        for (var id = vocabulary.Count - 1; id >= 0; id--)
        {
            if (vocabulary.Types[id] != TokenType.Unused)
                return id;
        }
        return -1;
    }

    private static ImmutableArray<TokenType> Types(Vocabulary vocabulary, int used, int rows) =>
    [
        .. Enumerable.Range(0, used).Select(id => vocabulary.Types[id] == TokenType.UserDefined && LooksSpecial(vocabulary.Tokens[id]) ? TokenType.Control : vocabulary.Types[id]),
        .. Enumerable.Repeat(TokenType.Unused, rows - used),
    ];

    /// <summary>llama.cpp finds user-defined tokens in text as it is typed, with spaces.</summary>
    private static IEnumerable<string> Tokens(Vocabulary vocabulary, ImmutableArray<TokenType> types) => types.Select((type, id) =>
        id >= vocabulary.Count ? $"[PAD{id}]"
        : type == TokenType.UserDefined ? vocabulary.Tokens[id].Replace('▁', ' ')
        : vocabulary.Tokens[id]);

    /// <summary>Some models mark as ordinary text what only steers them.</summary>
    private static bool LooksSpecial(string token) =>
        token is "<pad>" or "<mask>" or "<2mass>" or "[@BOS@]"
        || (token.StartsWith("<|", StringComparison.Ordinal) && token.EndsWith("|>", StringComparison.Ordinal))
        || (token.StartsWith("<｜", StringComparison.Ordinal) && token.EndsWith("｜>", StringComparison.Ordinal))
        || (token.StartsWith("<unused", StringComparison.Ordinal) && token.EndsWith('>'));

    private static string PreTokenizer(Vocabulary vocabulary) => vocabulary.Kind is TokenizerKind.ByteLevelBpe or TokenizerKind.CharacterBpe
        ? vocabulary.PreTokenizer ?? throw new CheckpointFormatException(vocabulary.Path, null, "a pre_tokenizer whose rule llama.cpp has a name for", "another one; files with it would be split wrongly")
        : "default";
}
