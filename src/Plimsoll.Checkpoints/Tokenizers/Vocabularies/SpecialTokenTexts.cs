using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Roles that are known by the text of a token alone, because files often do not state them.</summary>
/// <remarks>Source: the lists in llama.cpp v0.5.0, src/llama-vocab.cpp (special_eot_id, special_eog_ids).</remarks>
internal static class SpecialTokenTexts
{
    /// <summary>The end of a turn, the surest text first.</summary>
    private static readonly string[] EndOfTurn =
    [
        "<|eot_id|>", "<|im_end|>", "<end_of_turn>", "<|end|>", "<EOT>", "_<EOT>", "[EOT]", "<end_of_utterance>",
        "<|end_of_text|>", "<|endoftext|>", "<｜end▁of▁sentence｜>",
    ];

    /// <summary>Texts after which generation ends, besides the end of text and of a turn.</summary>
    private static readonly HashSet<string> EndOfGeneration =
    [
        .. EndOfTurn, "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "</s>", "<|eom_id|>", "[EOS]", "<eos>", "<turn|>", "<|tool_response>", "[e~[",
        "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
    ];

    /// <summary>The id of the end of a turn, or null.</summary>
    public static int? FindEndOfTurn(ImmutableArray<string> tokens)
    {
        var best = (Rank: int.MaxValue, Id: -1);
        for (var id = 0; id < tokens.Length; id++)
        {
            if (IsBracketed(tokens[id]) && Array.IndexOf(EndOfTurn, tokens[id]) is >= 0 and var rank && rank < best.Rank)
                best = (rank, id);
        }
        return best.Id < 0 ? null : best.Id;
    }

    /// <summary>Every id after which generation ends.</summary>
    public static ImmutableHashSet<int> FindEndOfGeneration(Vocabulary vocabulary)
    {
        var found = new Dictionary<string, int>();
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (IsBracketed(vocabulary.Tokens[id]) && EndOfGeneration.Contains(vocabulary.Tokens[id]))
                found[vocabulary.Tokens[id]] = id;
        }
        // Harmony (gpt-oss) and Solar end their parts, not the answer, with <|end|>; Gemma 4 keeps </s> as plain text.
        if (found.ContainsKey("<|return|>") && found.ContainsKey("<|call|>") || found.ContainsKey("<|calls|>") && found.ContainsKey("<|flush|>"))
            found.Remove("<|end|>");
        if (found.ContainsKey("<|tool_response>"))
            found.Remove("</s>");
        return [.. found.Values, .. new[] { vocabulary.Special.Eos, vocabulary.Special.Eot }.OfType<int>().Where(id => !IsPartEnd(vocabulary, id, found))];
    }

    private static bool IsPartEnd(Vocabulary vocabulary, int id, Dictionary<string, int> found) => vocabulary.Tokens[id] == "<|end|>" && !found.ContainsKey("<|end|>");

    private static bool IsBracketed(string text) => text.Length is > 3 and < 40 && (text[0] is '<' or '[' or '_');
}
