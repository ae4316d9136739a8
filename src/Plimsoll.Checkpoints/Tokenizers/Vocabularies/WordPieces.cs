using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>BERT's pieces in the form of GGUF: <c>▁</c> before pieces that begin a word, nothing before those that continue one (which BERT marks <c>##</c>).</summary>
internal static class WordPieces
{
    public const string Start = "▁";

    private const string Continuing = "##";

    /// <param name="isControl">By id: the tokens that are no text, which keep their form.</param>
    public static Vocabulary ToVocabulary(string path, ImmutableArray<string> tokens, ImmutableArray<bool> isControl, string continuing = Continuing)
    {
        return new()
        {
            Path = path,
            Kind = TokenizerKind.WordPiece,
            Tokens = [.. tokens.Select((text, id) => isControl[id] ? text : text.StartsWith(continuing, StringComparison.Ordinal) ? text[continuing.Length..] : Start + text)],
            Types = [.. isControl.Select((control, id) => control ? tokens[id] == "[UNK]" ? TokenType.Unknown : TokenType.Control : TokenType.Normal)],
            Special = new() { Bos = Id("[CLS]"), Separator = Id("[SEP]"), Unknown = Id("[UNK]"), Padding = Id("[PAD]"), Mask = Id("[MASK]") },
        };

        int? Id(string text) => tokens.IndexOf(text) is >= 0 and var id ? id : null;
    }
}
