using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Cli;

/// <summary>A model whose weights are on this machine: a file, a folder, or a model of the hub that has been downloaded.</summary>
internal static class LocalModel
{
    /// <summary>The path of the checkpoint.</summary>
    /// <exception cref="CliException">The name stands for no weights that are here.</exception>
    public static string Locate(string name, CliEnvironment environment)
    {
        if (File.Exists(name) || Directory.Exists(name))
            return name;
        if (ModelChoice.LooksLikePath(name))
            throw CliException.BadInput($"{name}: no such file or folder");
        var settings = HubSettings.FromEnvironment(environment.Variable, environment.Home);
        if (HubSnapshot.Find(settings, name) is { } snapshot)
            return snapshot;
        throw CliException.WrongUsage(
            $"the weights of '{name}' are not on this machine",
            HubReference.TryParse(name, out _) ? $"download them with 'hf download {name}', or name a folder or file" : "name a folder, or a .gguf or .safetensors file");
    }
}
