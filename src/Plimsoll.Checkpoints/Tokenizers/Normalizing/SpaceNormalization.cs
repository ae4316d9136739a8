using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Normalizing;

/// <summary>How SentencePiece treats spaces.</summary>
internal static class SpaceNormalization
{
    public const char Meta = '▁';

    /// <summary>Writes spaces as <c>▁</c>.</summary>
    public static string Escape(string text) => text.Replace(' ', Meta);

    /// <summary>Puts one <c>▁</c> in front, as the first word's space.</summary>
    public static string Prefix(string text) => text.Length == 0 ? text : Meta + text;

    /// <summary>One space between words, none around them, whatever white space there was.</summary>
    public static string JoinWords(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Makes runs of spaces one and drops those at the ends.</summary>
    public static string Collapse(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var character in text.AsSpan().Trim(' '))
        {
            if (character != ' ' || result[^1] != ' ')
                result.Append(character);
        }
        return result.ToString();
    }
}
