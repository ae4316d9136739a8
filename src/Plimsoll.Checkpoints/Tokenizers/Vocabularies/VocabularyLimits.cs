namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>What the file of a vocabulary may claim before it is believed.</summary>
internal static class VocabularyLimits
{
    /// <summary>The largest vocabularies in use have 262,144 tokens (Gemma 3).</summary>
    public const int MaxTokens = 4 << 20;

    /// <summary>The largest <c>tokenizer.json</c> in use has 34 MB (Gemma 3).</summary>
    public const long MaxFileBytes = 512 << 20;
}
