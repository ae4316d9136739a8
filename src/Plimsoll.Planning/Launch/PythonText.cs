using System.Globalization;
using System.Text;

namespace Plimsoll.Planning.Launch;

/// <summary>Python literals.</summary>
internal static class PythonText
{
    /// <summary>A string literal in double quotes. Source: Python language reference, 2.4.1 (escape sequences).</summary>
    public static string Literal(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var character in value)
        {
            if (character is '"' or '\\')
                text.Append('\\').Append(character);
            else if (char.IsControl(character))
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else
                text.Append(character);
        }
        return text.Append('"').ToString();
    }
}
