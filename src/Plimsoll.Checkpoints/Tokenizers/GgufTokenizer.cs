using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>What the metadata of a GGUF file says about the tokenizer inside.</summary>
internal static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";
    private const string TokensKey = Prefix + "tokens";

    private static readonly (string Key, string Role)[] Roles =
    [
        ("bos_token_id", "bos"), ("eos_token_id", "eos"), ("eot_token_id", "eot"), ("eom_token_id", "eom"), ("unknown_token_id", "unk"), ("padding_token_id", "pad"),
        ("seperator_token_id", "sep"), ("separator_token_id", "sep"), ("cls_token_id", "cls"), ("mask_token_id", "mask"),
        ("fim_pre_token_id", "fim_pre"), ("fim_suf_token_id", "fim_suf"), ("fim_mid_token_id", "fim_mid"),
    ];

    /// <returns>Null when the file has no tokenizer.</returns>
    /// <exception cref="CheckpointFormatException">A key has the wrong type.</exception>
    public static TokenizerFacts? Read(GgufMetadata metadata)
    {
        if (metadata.String(Prefix + "model") is not { } model)
            return null;
        var size = metadata.Length(TokensKey);
        return new()
        {
            Source = "GGUF metadata",
            Kind = model switch
            {
                "llama" => "SentencePiece BPE (llama)",
                "gpt2" => "byte-level BPE (gpt2)",
                "bert" => "WordPiece (bert)",
                "t5" => "SentencePiece unigram (t5)",
                "rwkv" => "RWKV world",
                "none" or "no_vocab" => "none",
                _ => model,
            },
            PreTokenizer = metadata.String(Prefix + "pre"),
            VocabularySize = size,
            LargestId = size is > 0 ? size - 1 : null,
            Merges = metadata.Length(Prefix + "merges"),
            SpecialTokens = SpecialTokens(metadata, size ?? 0),
            HasChatTemplate = metadata.Keys.Any(key => key.StartsWith("tokenizer.chat_template", StringComparison.Ordinal)),
        };
    }

    private static ImmutableArray<SpecialToken> SpecialTokens(GgufMetadata metadata, long size)
    {
        // An id beyond the vocabulary stands for "none": converters write −1 as an unsigned number.
        var ids = Roles.Select(row => (row.Role, Id: metadata.Raw(Prefix + row.Key) as long? ?? -1)).Where(row => row.Id >= 0 && row.Id < size).DistinctBy(row => row.Role).ToList();
        var texts = Texts(metadata, [.. ids.Select(row => row.Id)]);
        return [.. ids.Select(row => new SpecialToken(row.Role, texts.GetValueOrDefault(row.Id), row.Id))];
    }

    /// <summary>The texts of a few tokens. Of a file that is elsewhere only the header is here, and its vocabulary is not read again.</summary>
    private static Dictionary<long, string> Texts(GgufMetadata metadata, HashSet<long> ids)
    {
        var texts = new Dictionary<long, string>();
        if (ids.Count == 0 || !File.Exists(metadata.Path) || metadata.Strings(TokensKey) is not { } tokens)
            return texts;
        var index = 0L;
        foreach (var token in tokens)
        {
            if (ids.Contains(index))
                texts[index] = token;
            if (texts.Count == ids.Count)
                break;
            index++;
        }
        return texts;
    }
}
