namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>Messages cut to what a reader recognizes them by.</summary>
internal static class Quotes
{
    private const int MaxLength = 320;

    /// <summary>Advice and links that PyTorch appends; the diagnosis gives its own.</summary>
    private static readonly string[] Tails = [" If reserved", " See documentation", " Please use `empty_cache`", " Use PYTORCH_MPS_HIGH"];

    /// <summary>The message without its advice, in one line.</summary>
    public static string Sentence(string text)
    {
        foreach (var tail in Tails)
        {
            if (text.IndexOf(tail, StringComparison.Ordinal) is > 0 and var at)
                text = text[..at];
        }
        text = text.Trim();
        return text.Length <= MaxLength ? text : text[..MaxLength].TrimEnd() + " …";
    }

    /// <summary>From a match to the end of its sentence or line.</summary>
    public static string From(LogText log, int position, int length = 240)
    {
        var line = log.LineAt(position);
        var end = position + 1;
        while (end < log.Flat.Length && end < position + length && log.LineAt(end) == line)
            end++;
        return Sentence(log.Flat[position..end]);
    }
}
