using System.Runtime.CompilerServices;
using Xunit;

namespace Plimsoll.Testing;

/// <summary>Real data that lies beside the repository on some machines and is not part of it. Tests that want it skip where it is absent.</summary>
public static class SharedData
{
    private static readonly string? Root = Find();

    /// <summary>The path of a file or folder of the shared data; skips the running test when it is absent.</summary>
    public static string Require(string relativePath)
    {
        var path = Root is null ? null : Path.Combine(Root, relativePath);
        if (path is null || !(File.Exists(path) || Directory.Exists(path)))
            Assert.Skip($"the shared test data (shared/data/{relativePath}) is not on this machine");
        return path;
    }

    private static string? Find([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var candidate = Path.Combine(folder, "shared", "data");
            if (Directory.Exists(candidate))
                return candidate;
        }
        return null;
    }
}
