using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models.Demo;

namespace Plimsoll.Cli;

/// <summary>A model whose weights are on this machine: a file, a folder, <c>demo</c>, or a model of the hub that has been downloaded.</summary>
internal static class LocalModel
{
    /// <summary>The path of the checkpoint.</summary>
    /// <exception cref="CliException">The name stands for no weights that are here.</exception>
    public static string Locate(string name, CliEnvironment environment)
    {
        if (File.Exists(name) || Directory.Exists(name))
            return name;
        if (IsDemo(name))
            return Demo(environment);
        if (ModelChoice.LooksLikePath(name))
            throw CliException.BadInput($"{name}: no such file or folder");
        var settings = HubSettings.FromEnvironment(environment.Variable, environment.Home);
        if (HubSnapshot.Find(settings, name) is { } snapshot)
            return snapshot;
        throw CliException.WrongUsage(
            $"the weights of '{name}' are not on this machine",
            HubReference.TryParse(name, out _) ? $"download them with 'hf download {name}', or name a folder or file" : "name a folder, a .gguf or .safetensors file, or 'demo'");
    }

    /// <summary>A GGUF file holds its tokenizer; other files have it beside them.</summary>
    public static string TokenizerPath(string path) =>
        Directory.Exists(path) || path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;

    public static bool IsDemo(string name) => name.Equals(DemoModel.Name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The folder of the demo model, unpacked into the user's cache, or into the temporary folder where that cannot be written.</summary>
    public static string Demo(CliEnvironment environment)
    {
        var cache = environment.Variable("XDG_CACHE_HOME") is { Length: > 0 } configured ? configured : Path.Combine(environment.Home, ".cache");
        try
        {
            return DemoModel.Unpack(Path.Combine(cache, "plimsoll"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return DemoModel.Unpack(Path.Combine(Path.GetTempPath(), "plimsoll"));
        }
    }
}
