using System.Collections.Immutable;
using System.CommandLine;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Cli.Plan;
using Plimsoll.Models;

namespace Plimsoll.Cli;

/// <summary>A model on the hub: its configuration and tensor headers, never its weights.</summary>
internal static class HubChoice
{
    public static LocatedModel Locate(string name, ParseResult parsed, CliEnvironment environment)
    {
        var remote = Open(name, parsed, environment);
        RequireChoice(name, remote);
        var checkpoint = remote.Tensors is { } tensors ? AsCheckpoint(remote, tensors) : null;
        var assume = parsed.GetValue(PlanOptions.Assume);
        var located = (remote.Gguf, remote.Config) switch
        {
            ({ } metadata, _) => ModelLocator.FromGguf(metadata, checkpoint!, name),
            (_, { } config) => ModelLocator.FromConfig(config, name, checkpoint, assume),
            _ => throw CliException.BadInput($"{name} has neither a config.json nor a GGUF file", "only language models with one of them can be planned"),
        };
        return located with { Shape = located.Shape with { Notes = located.Shape.Notes.AddRange(remote.Notes) } };
    }

    public static RemoteModel Open(string name, ParseResult parsed, CliEnvironment environment) =>
        Ask(name, parsed, environment, (client, reference) => client.OpenAsync(reference));

    /// <summary>Refuses a repository of several GGUF files where the name does not say which one is meant.</summary>
    public static void RequireChoice(string name, RemoteModel remote)
    {
        if (remote.NeedsTag)
            throw CliException.WrongUsage($"{name} offers several quantizations", $"choose one: {string.Join(", ", remote.GgufChoices.Select(choice => $"{remote.Reference.Repository}:{choice.Tag}"))}");
    }

    /// <summary>Asks the hub, or its cache, with the user's settings; failures become sentences with an exit code.</summary>
    public static T Ask<T>(string name, ParseResult parsed, CliEnvironment environment, Func<HubClient, HubReference, Task<T>> question)
    {
        if (!HubReference.TryParse(name, out var reference))
            throw CliException.WrongUsage($"'{name}' is no model on the hub", "the form is org/name, org/name@revision or org/name:Q4_K_M");
        try
        {
            var settings = HubSettings.FromEnvironment(environment.Variable, environment.Home);
            if (parsed.GetValue(PlanOptions.Offline))
                settings = settings with { Offline = true };
            using var client = new HubClient(settings, parsed.GetValue(GlobalOptions.Quiet) ? null : environment.Error.WriteLine);
            return question(client, reference).GetAwaiter().GetResult();
        }
        catch (HubException failure)
        {
            throw new CliException(failure.IsWrongUsage ? ExitCode.WrongUsage : ExitCode.Environment, failure.Message, failure.Hint);
        }
    }

    public static Checkpoint AsCheckpoint(RemoteModel remote, ImmutableArray<TensorHeader> tensors) => new()
    {
        Path = remote.Reference.ToString(),
        Format = remote.Gguf is null ? CheckpointFormat.Safetensors : CheckpointFormat.Gguf,
        Files = [.. tensors.Select(tensor => tensor.File).Distinct()],
        Tensors = tensors,
        Gguf = remote.Gguf,
    };
}
