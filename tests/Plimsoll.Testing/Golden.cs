using System.Runtime.CompilerServices;
using Xunit;

namespace Plimsoll.Testing;

/// <summary>Compares a text with a file that a person has reviewed.</summary>
/// <remarks>The files lie in <c>Golden/</c> beside the test. Run with <c>UPDATE_GOLDEN=1</c> to write them, then read the difference before committing.</remarks>
public static class Golden
{
    public static void Match(string name, string actual, [CallerFilePath] string testFile = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(testFile)!, "Golden", name);
        actual = Normalize(actual);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
            return;
        }
        Assert.True(File.Exists(path), $"{path} does not exist; run the tests with UPDATE_GOLDEN=1 and review the file.\n{actual}");
        Assert.Equal(Normalize(File.ReadAllText(path)), actual);
    }

    /// <summary>Line ends and trailing blanks carry no meaning in a terminal.</summary>
    private static string Normalize(string text) =>
        string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd())).TrimEnd() + "\n";
}
