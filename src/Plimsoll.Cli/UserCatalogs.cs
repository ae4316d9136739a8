using System.Text.Json;
using Plimsoll.Cli.Bench;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;

namespace Plimsoll.Cli;

/// <summary>The catalogs that come with the product, with the user's own files on top.</summary>
/// <remarks><c>gpus.json</c>, <c>models.json</c> and <c>engines.json</c> in the configuration folder are always read; <c>--catalog FILE</c> lies over the first two and may be of either kind.</remarks>
internal static class UserCatalogs
{
    public static GpuCatalog Gpus(string? file, CliEnvironment environment)
    {
        var catalog = GpuCatalog.Default;
        try
        {
            foreach (var path in Files(file, "gpus.json", "gpus", environment))
            {
                using var stream = File.OpenRead(path);
                catalog = catalog.Load(stream, path);
            }
        }
        catch (GpuCatalogFormatException failure)
        {
            throw CliException.BadInput(failure.Message);
        }
        return catalog;
    }

    public static ModelCatalog Models(string? file, CliEnvironment environment)
    {
        var catalog = ModelCatalog.Default;
        foreach (var path in Files(file, "models.json", "models", environment))
        {
            using var stream = File.OpenRead(path);
            catalog = ModelCatalog.Load(stream, path, catalog);
        }
        return catalog;
    }

    /// <summary>The engines, with the constants that <c>plan --calibrate --save-profile</c> has kept.</summary>
    public static EngineCatalog Engines(CliEnvironment environment)
    {
        var path = EnginesFile(environment);
        if (!File.Exists(path))
            return EngineCatalog.Default;
        using var stream = File.OpenRead(path);
        return EngineCatalog.Load(stream, path, EngineCatalog.Default);
    }

    /// <summary>What <c>bench</c> has measured of this machine; null when it never ran.</summary>
    public static CpuProfile? CpuProfile(CliEnvironment environment)
    {
        var path = CpuFile(environment);
        if (!File.Exists(path))
            return null;
        try
        {
            using var stream = File.OpenRead(path);
            return Planning.Speed.CpuProfile.Read(stream);
        }
        catch (JsonException failure)
        {
            throw CliException.BadInput($"{path}: {failure.Message}", "'plimsoll bench' writes it anew");
        }
    }

    /// <summary>Keeps what <c>bench</c> has measured.</summary>
    /// <returns>The file.</returns>
    public static string SaveCpuProfile(CpuProfile profile, CliEnvironment environment)
    {
        var path = CpuFile(environment);
        Directory.CreateDirectory(ConfigurationFolder(environment));
        using var text = new StringWriter();
        JsonOutput.Write(text, BenchCommand.Schema, profile.Write);
        var temporary = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(temporary, text.ToString());
        File.Move(temporary, path, overwrite: true);
        return path;
    }

    private static string CpuFile(CliEnvironment environment) => Path.Combine(ConfigurationFolder(environment), "cpu.json");

    public static string EnginesFile(CliEnvironment environment) => Path.Combine(ConfigurationFolder(environment), "engines.json");

    /// <summary>Refuses a catalog file that cannot be used, also where nothing would be looked up in it.</summary>
    public static void Check(string? file)
    {
        if (file is not null)
            _ = HasSection(file, "models");
    }

    private static IEnumerable<string> Files(string? file, string name, string section, CliEnvironment environment)
    {
        var own = Path.Combine(ConfigurationFolder(environment), name);
        if (File.Exists(own))
            yield return own;
        if (file is not null && HasSection(file, section))
            yield return file;
    }

    private static string ConfigurationFolder(CliEnvironment environment) =>
        environment.Variable("XDG_CONFIG_HOME") is { Length: > 0 } configured
            ? Path.Combine(configured, "plimsoll")
            : Path.Combine(environment.Home, ".config", "plimsoll");

    private static bool HasSection(string file, string section)
    {
        if (!File.Exists(file))
            throw CliException.BadInput($"--catalog {file}: no such file");
        try
        {
            using var stream = File.OpenRead(file);
            using var document = JsonDocument.Parse(stream);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && (root.TryGetProperty("models", out _) || root.TryGetProperty("gpus", out _)))
                return root.TryGetProperty(section, out _);
        }
        catch (JsonException failure)
        {
            throw CliException.BadInput($"--catalog {file}: not valid JSON ({failure.Message})");
        }
        throw CliException.BadInput($"--catalog {file}: neither \"models\" nor \"gpus\" is in it", "see docs/catalogs.md for the format");
    }
}
