using System.IO.Enumeration;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Cli.Gpus;

/// <summary>Name patterns of <c>plimsoll gpus --name</c>.</summary>
internal static class GpuPattern
{
    /// <summary>Case, blanks and hyphens do not count. The pattern may begin anywhere in the id, the name or an alias, and without <c>*</c> or <c>?</c> also end anywhere.</summary>
    public static bool Matches(string pattern, GpuSpec gpu)
    {
        var plain = Plain(pattern);
        var expression = plain.AsSpan().ContainsAny('*', '?') ? $"*{plain}" : $"*{plain}*";
        return gpu.Aliases.Append(gpu.Name).Append(gpu.Id).Any(name => FileSystemName.MatchesSimpleExpression(expression, Plain(name), ignoreCase: true));
    }

    private static string Plain(string text) => string.Concat(text.Where(sign => char.IsAsciiLetterOrDigit(sign) || sign is '*' or '?'));
}
