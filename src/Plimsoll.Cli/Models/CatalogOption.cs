using System.CommandLine;
using Plimsoll.Models.Catalog;

namespace Plimsoll.Cli.Models;

/// <summary>Where model facts come from: <c>--catalog FILE</c> over <c>~/.config/plimsoll/models.json</c> over the built-in catalog.</summary>
internal static class CatalogOption
{
    public static readonly Option<string?> File = new("--catalog") { Description = "a model catalog whose entries win over the built-in ones", HelpName = "FILE" };

    public static ModelCatalog Open(ParseResult parsed, CliEnvironment environment)
    {
        var catalog = ModelCatalog.Default;
        if (UserFile(environment) is { } user && System.IO.File.Exists(user))
            catalog = Load(user, catalog);
        return parsed.GetValue(File) is { } file ? Load(file, catalog) : catalog;
    }

    private static ModelCatalog Load(string path, ModelCatalog below)
    {
        if (!System.IO.File.Exists(path))
            throw CliException.BadInput($"the model catalog {path} does not exist");
        using var stream = System.IO.File.OpenRead(path);
        return ModelCatalog.Load(stream, path, below);
    }

    private static string? UserFile(CliEnvironment environment)
    {
        var folder = environment.Variable("XDG_CONFIG_HOME") is { Length: > 0 } configured
            ? configured
            : environment.Variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".config") : null;
        return folder is null ? null : Path.Combine(folder, "plimsoll", "models.json");
    }
}
