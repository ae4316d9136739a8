using System.Runtime.CompilerServices;
using Xunit;

namespace Plimsoll.Testing;

/// <summary>The files of this repository, as text.</summary>
public static class Repository
{
    private static readonly string[] Outputs = ["artifacts", "bin", "obj", "TestResults", "shared"];

    public static string Root { get; } = FindRoot();

    /// <summary>Paths of all files with this ending, relative to the root, with slashes, in order.</summary>
    public static IReadOnlyList<string> Files(string ending) =>
    [
        .. Walk(Root)
            .Where(path => path.EndsWith(ending, StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal),
    ];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path)).ReplaceLineEndings("\n");

    public static bool Has(string path) => File.Exists(Path.Combine(Root, path)) || Directory.Exists(Path.Combine(Root, path));

    /// <summary>The text between <c>&lt;!-- name --&gt;</c> and <c>&lt;!-- /name --&gt;</c> is this one. <c>UPDATE_GOLDEN=1</c> writes it.</summary>
    public static void MatchSection(string path, string name, string expected)
    {
        var page = Read(path);
        var (start, end) = ($"<!-- {name} -->\n", $"<!-- /{name} -->");
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        var to = page.IndexOf(end, StringComparison.Ordinal);
        Assert.True(from >= start.Length && to >= from, $"{path} has no section '{name}'");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(Path.Combine(Root, path), page[..from] + expected + page[to..]);
        else
            Assert.Equal(expected, page[from..to]);
    }

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
            yield return file;
        foreach (var inner in Directory.EnumerateDirectories(folder))
        {
            var name = Path.GetFileName(inner);
            if (Outputs.Contains(name) || (name.StartsWith('.') && name != ".ci"))
                continue;
            foreach (var file in Walk(inner))
                yield return file;
        }
    }

    private static string FindRoot([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Plimsoll.slnx")))
                return folder;
        }
        throw new DirectoryNotFoundException("the repository is not above the tests");
    }
}
