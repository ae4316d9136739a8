using System.CommandLine;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models.Inspection;

namespace Plimsoll.Cli.Inspect;

/// <summary>Inspects a model on the hub from its headers.</summary>
internal static class InspectRemote
{
    public static CheckpointInspection Read(string name, ParseResult parsed, CliEnvironment environment) => HubChoice.Ask(name, parsed, environment, async (client, reference) =>
    {
        var remote = await client.OpenAsync(reference).ConfigureAwait(false);
        HubChoice.RequireChoice(name, remote);
        if (remote.Tensors is not { } tensors)
            return Configuration(name, remote);
        var checkpoint = HubChoice.AsCheckpoint(remote, tensors);
        var settings = remote.Gguf is null ? await client.ReadFileAsync(reference, "tokenizer_config.json", TokenizerReader.MaxConfigBytes).ConfigureAwait(false) : null;
        var sizes = remote.Files.ToDictionary(file => $"{reference.Repository}/{file.Path}", file => file.Size, StringComparer.Ordinal);
        var inspection = CheckpointInspector.Inspect(new InspectionSource
        {
            Checkpoint = checkpoint,
            Config = remote.Gguf is null ? remote.Config : null,
            Quantization = remote.Gguf is null ? remote.Quantization : null,
            ReadTokenizer = () => remote.Gguf is { } metadata ? TokenizerReader.FromGguf(metadata)
                : settings is not null ? TokenizerReader.FromConfig("tokenizer_config.json", settings, remote.Config) : null,
            SizeOf = file => sizes.GetValueOrDefault(file),
        });
        return inspection with { Notes = [.. inspection.Notes, .. remote.Notes] };
    });

    /// <summary>A repository whose tensor lists cannot be read from afar: what its configuration says.</summary>
    private static CheckpointInspection Configuration(string name, RemoteModel remote)
    {
        var config = remote.Config ?? throw CliException.BadInput($"{name} has neither a config.json nor tensors that can be read from afar", string.Join("; ", remote.Notes));
        var inspection = CheckpointInspector.InspectConfiguration(name, config, remote.Quantization);
        return inspection with { Notes = [.. inspection.Notes, .. remote.Notes] };
    }
}
