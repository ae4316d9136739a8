namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>How a vocabulary turns text into tokens. The names in GGUF (<c>tokenizer.ggml.model</c>) are those of llama.cpp.</summary>
public enum TokenizerKind
{
    /// <summary>Merges over the 256 bytes, written in GPT-2's alphabet of printable characters (GGUF: <c>gpt2</c>).</summary>
    ByteLevelBpe,

    /// <summary>SentencePiece's byte pair encoding: characters are joined by the score of what they give (GGUF: <c>llama</c>).</summary>
    SentencePieceBpe,

    /// <summary>Merges over characters with spaces written as <c>▁</c> and bytes as <c>&lt;0x0A&gt;</c> where a character is unknown (GGUF: <c>gemma4</c>).</summary>
    CharacterBpe,

    /// <summary>SentencePiece's unigram model: the segmentation with the largest sum of log-probabilities (GGUF: <c>t5</c>).</summary>
    Unigram,

    /// <summary>BERT's longest match from the left, continuing pieces marked (GGUF: <c>bert</c>).</summary>
    WordPiece,
}

/// <summary>The names of the kinds in GGUF metadata.</summary>
public static class TokenizerKinds
{
    private static readonly (TokenizerKind Kind, string Name)[] Names =
    [
        (TokenizerKind.ByteLevelBpe, "gpt2"), (TokenizerKind.SentencePieceBpe, "llama"), (TokenizerKind.CharacterBpe, "gemma4"),
        (TokenizerKind.Unigram, "t5"), (TokenizerKind.WordPiece, "bert"),
    ];

    /// <summary>The value of <c>tokenizer.ggml.model</c>.</summary>
    public static string GgufName(this TokenizerKind kind) => Names.First(row => row.Kind == kind).Name;

    /// <summary>The kind of a <c>tokenizer.ggml.model</c>; null for one that we cannot run (<c>rwkv</c>, <c>plamo2</c> …).</summary>
    public static TokenizerKind? FromGguf(string name) => Names.Where(row => row.Name == name).Select(row => (TokenizerKind?)row.Kind).FirstOrDefault();
}
