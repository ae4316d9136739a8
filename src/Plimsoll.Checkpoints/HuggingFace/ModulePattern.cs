using System.Text.RegularExpressions;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>How an entry of a module list is meant. The tools disagree, and each list is read as its own tool reads it.</summary>
internal enum ModulePatternKind
{
    /// <summary>transformers: the named module wherever it sits, and everything under it; <c>*</c> stands for anything.</summary>
    Module,

    /// <summary>ModelOpt: a wildcard over the whole name; a trailing <c>*</c> means the module and everything under it.</summary>
    Wildcard,

    /// <summary>AutoAWQ and vLLM's AWQ: the text anywhere in the name.</summary>
    Substring,

    /// <summary>compressed-tensors <c>re:</c> and GPTQModel <c>dynamic</c>: a regular expression, anchored at the start as Python's <c>re.match</c>.</summary>
    Regex,

    /// <summary>compressed-tensors without <c>re:</c>: exactly this module.</summary>
    Exact,
}

/// <summary>One entry of a list of modules in a configuration.</summary>
internal sealed class ModulePattern(string path, ModulePatternKind kind, string text)
{
    /// <summary>A configuration is untrusted: a regular expression may not hang the program.</summary>
    private static readonly TimeSpan RegexTime = TimeSpan.FromMilliseconds(250);

    private Regex? regex;

    public string Text { get; } = text;

    /// <summary>Whether the entry names this module, as in <c>model.layers.0.mlp.down_proj</c>.</summary>
    /// <exception cref="CheckpointFormatException">The entry is no regular expression, or one that takes forever.</exception>
    public bool Matches(string module) => kind switch
    {
        ModulePatternKind.Exact => module == Text,
        ModulePatternKind.Substring => module.Contains(Text, StringComparison.Ordinal),
        ModulePatternKind.Regex => MatchesRegex(module),
        ModulePatternKind.Wildcard => MatchesWildcard(module),
        _ => MatchesModule(module),
    };

    private bool MatchesModule(string module)
    {
        var wanted = Text.EndsWith(".*", StringComparison.Ordinal) ? Text[..^2] : Text.TrimEnd('*').TrimEnd('.');
        if (wanted.Length == 0)
            return Text.StartsWith('*');
        for (var start = 0; ; start = module.IndexOf('.', start) + 1)
        {
            if (MatchesSelfOrAncestor(wanted, module, start))
                return true;
            if (module.IndexOf('.', start) < 0)
                return false;
        }
    }

    private bool MatchesWildcard(string module) => Text.EndsWith('*') && !Text.EndsWith(".*", StringComparison.Ordinal)
        ? MatchesSelfOrAncestor(Text.TrimEnd('*'), module, 0)
        : MatchesSelfOrAncestor(Text, module, 0);

    /// <summary>Whether the pattern names the part from <paramref name="start"/> to some later dot, or to the end.</summary>
    private static bool MatchesSelfOrAncestor(string pattern, string module, int start)
    {
        for (var end = module.IndexOf('.', start); end >= 0; end = module.IndexOf('.', end + 1))
        {
            if (Glob(pattern, module.AsSpan(start..end)))
                return true;
        }
        return Glob(pattern, module.AsSpan(start));
    }

    /// <summary>Shell wildcards <c>*</c> and <c>?</c>, in time that a hostile pattern cannot make exponential.</summary>
    private static bool Glob(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0, t = 0, star = -1, mark = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = t;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == text[t]))
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }
        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }

    private bool MatchesRegex(string module)
    {
        try
        {
            regex ??= new Regex($@"\A(?:{Text})", RegexOptions.CultureInvariant, RegexTime);
            return regex.IsMatch(module);
        }
        catch (ArgumentException failure)
        {
            throw new CheckpointFormatException(path, null, "a regular expression for module names", Text, failure);
        }
        catch (RegexMatchTimeoutException failure)
        {
            throw new CheckpointFormatException(path, null, $"a regular expression that decides within {RegexTime.TotalMilliseconds:0} ms", Text, failure);
        }
    }
}
