using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Models.Inspection;

/// <summary>Tells what a checkpoint is from its headers, its configuration and its tokenizer's files. Weights are not read.</summary>
public static class CheckpointInspector
{
    private const int MaxConfigBytes = 10_000_000;

    /// <summary>Inspects a checkpoint file, any file of a split one, a folder with one, or a <c>config.json</c> alone.</summary>
    /// <exception cref="CheckpointFormatException">A file is not what its format requires, or there is nothing to inspect.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public static CheckpointInspection Inspect(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (ConfigurationAlone(path) is { } configPath)
            return InspectConfiguration(path, configPath);
        var checkpoint = Checkpoint.Open(path);
        // The configuration beside a GGUF file may be of another model: the file describes itself.
        var config = checkpoint is { Gguf: null, ConfigPath: { } beside } ? ReadConfig(beside) : null;
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        return Inspect(new InspectionSource
        {
            Checkpoint = checkpoint,
            Config = config,
            Quantization = checkpoint.Gguf is null ? QuantizationConfig.FindIn(folder, config) : null,
            ReadTokenizer = () => checkpoint.Gguf is { } metadata ? TokenizerReader.FromGguf(metadata) : TokenizerReader.FromFolder(folder, config),
            SizeOf = file => new FileInfo(file).Length,
        });
    }

    /// <summary>Inspects what was read elsewhere, as from the hub.</summary>
    /// <exception cref="CheckpointFormatException">The configuration contains an impossible pattern.</exception>
    public static CheckpointInspection Inspect(InspectionSource source)
    {
        var checkpoint = source.Checkpoint;
        var kind = CheckpointKinds.Of(checkpoint);
        if (kind == CheckpointKind.Tensors && source.Config is not null)
            kind = CheckpointKind.Model;
        var (shape, refusal) = ReadShape(source, kind);
        var storages = Storages(checkpoint, source.Quantization, kind);
        var (tokenizer, tokenizerProblem) = ReadTokenizer(source);
        var inspection = new CheckpointInspection
        {
            Path = checkpoint.Path,
            Kind = kind,
            Checkpoint = checkpoint,
            Config = source.Config,
            Quantization = source.Quantization,
            Shape = shape,
            ShapeRefusal = refusal,
            Architecture = ArchitectureName(source),
            Storages = storages,
            Match = shape is null || kind == CheckpointKind.TrainingState ? null : ArchitectureMatch.Create(shape, storages),
            Tokenizer = tokenizer,
            Files = Files(source),
            ContextLength = shape?.MaxContext ?? checkpoint.Gguf?.Raw($"{checkpoint.Gguf.String("general.architecture")}.context_length") as long?,
            HasChatTemplate = tokenizer?.HasChatTemplate == true,
            Problems = tokenizerProblem is null ? [] : [InspectionProblem.Warning("tokenizer", tokenizerProblem)],
        };
        storages = Sort(inspection);
        return Finish(inspection with { Storages = storages, Match = inspection.Match is null ? null : ArchitectureMatch.Create(shape!, storages) });
    }

    /// <summary>
    /// Tells apart what the architecture does not have: biases of zeros that GPTQ packers write for every layer, and a second copy of a tied head.
    /// What it does have is a parameter, whatever its name looks like.
    /// </summary>
    private static ImmutableArray<ParameterStorage> Sort(CheckpointInspection inspection)
    {
        if (inspection.Match is not { } match)
            return inspection.Storages;
        var packed = inspection.Storages.Where(storage => storage.Layout == StorageLayout.Gptq).Select(storage => storage.Module + ".bias").ToHashSet(StringComparer.Ordinal);
        var head = ArchitectureDifference.Of(inspection)?.TiedHead;
        var kinds = match.Extra.Where(storage => storage.Kind == StorageKind.Parameter && (packed.Contains(storage.Name) || storage.Name == head?.Name))
            .ToDictionary(storage => storage.Name, storage => storage.Name == head?.Name ? StorageKind.Copy : StorageKind.Buffer, StringComparer.Ordinal);
        foreach (var buffer in inspection.Storages.Where(storage => storage.Kind == StorageKind.Buffer && match.ShapeOf(storage) is not null))
            kinds[buffer.Name] = StorageKind.Parameter;
        return kinds.Count == 0 ? inspection.Storages : [.. inspection.Storages.Select(storage => kinds.TryGetValue(storage.Name, out var kind) ? storage with { Kind = kind } : storage)];
    }

    private static CheckpointInspection Finish(CheckpointInspection inspection)
    {
        inspection = inspection with
        {
            Types = StorageLines.ByType(inspection.Storages, inspection.ElementsOf),
            Parts = StorageLines.ByPart(inspection.Storages, inspection.RoleOf, inspection.ElementsOf),
        };
        inspection = ParameterCount.Apply(inspection) with { QuantizationText = QuantizationText.Describe(inspection), Precision = QuantizationText.Precision(inspection) };
        var notes = InspectionNotes.Find(inspection);
        return inspection with { Notes = [.. notes], Problems = [.. inspection.Problems, .. InspectionChecks.Run(inspection)] };
    }

    /// <summary>Describes a model by its configuration alone.</summary>
    public static CheckpointInspection InspectConfiguration(string path, ModelConfig config, QuantizationConfig? quantization)
    {
        var (shape, refusal) = Guard(() => ModelShapeReader.FromConfig(config, Path.GetFileName(path), "config.json"));
        return new()
        {
            Path = path,
            Kind = CheckpointKind.Configuration,
            Config = config,
            Quantization = quantization,
            Shape = shape,
            ShapeRefusal = refusal,
            Architecture = TypeName(config),
            Parameters = shape?.Parameters,
            ParametersNote = shape is null ? "the architecture is not known" : "of the architecture with these settings",
            ContextLength = shape?.MaxContext,
            Precision = quantization?.PrecisionName,
            QuantizationText = quantization?.Describe() ?? $"none{(shape?.PublishedType is { } type ? $": published as {type}" : "")}",
            Notes = [.. shape?.Notes ?? [], .. refusal is null ? Array.Empty<string>() : [$"What the architecture has is not known: {refusal}."]],
        };
    }

    private static CheckpointInspection InspectConfiguration(string path, string configPath)
    {
        var config = ReadConfig(configPath);
        if (!config.Has("model_type") && !config.Has("architectures"))
        {
            return QuantizationConfig.Parse(configPath, File.ReadAllBytes(configPath)) is { } alone
                ? new() { Path = path, Kind = CheckpointKind.Configuration, Quantization = alone, QuantizationText = alone.Describe(), ParametersNote = "the file describes a quantization, not a model" }
                : throw new CheckpointFormatException(configPath, null, "a configuration with model_type, or one of a quantizer", "neither");
        }
        var folder = Path.GetDirectoryName(Path.GetFullPath(configPath))!;
        var isFolder = Directory.Exists(path);
        var tokenizer = isFolder ? TokenizerReader.FromFolder(folder, config) : null;
        return InspectConfiguration(path, config, isFolder ? QuantizationConfig.FindIn(folder, config) : QuantizationConfig.Find(config)) with
        {
            Tokenizer = tokenizer,
            HasChatTemplate = tokenizer?.HasChatTemplate == true,
        };
    }

    private static (ModelShape? Shape, string? Refusal) ReadShape(InspectionSource source, CheckpointKind kind)
    {
        var id = source.Checkpoint.Path;
        if (source.Checkpoint.Gguf is { } metadata)
            return kind == CheckpointKind.Model ? Guard(() => ModelShapeReader.FromGguf(metadata, source.Checkpoint.Tensors, id)) : (null, null);
        return source.Config is { } config && kind == CheckpointKind.Model ? Guard(() => ModelShapeReader.FromConfig(config, id, "config.json")) : (null, null);
    }

    /// <summary>A model that is not understood can still be inspected.</summary>
    private static (ModelShape? Shape, string? Refusal) Guard(Func<ModelShape> read)
    {
        try
        {
            return (read(), null);
        }
        catch (UnknownArchitectureException failure)
        {
            return (null, failure.Message[..(failure.Message.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? end : failure.Message.Length)]);
        }
        catch (CheckpointFormatException failure)
        {
            return (null, $"expected {failure.Expected}, found {failure.Found}");
        }
    }

    private static (TokenizerFacts? Facts, string? Problem) ReadTokenizer(InspectionSource source)
    {
        try
        {
            return (source.ReadTokenizer(), null);
        }
        catch (CheckpointFormatException failure)
        {
            return (null, failure.Message);
        }
    }

    private static ImmutableArray<ParameterStorage> Storages(Checkpoint checkpoint, QuantizationConfig? quantization, CheckpointKind kind)
    {
        var places = new HashSet<(string, long, long)>();
        var storages = ImmutableArray.CreateBuilder<ParameterStorage>();
        foreach (var storage in ParameterGrouping.Group(checkpoint.Tensors, quantization))
        {
            var main = storage.Main;
            storages.Add(
                kind == CheckpointKind.TrainingState && OptimizerState.IsState(storage.Name) ? storage with { Kind = StorageKind.Optimizer }
                : main.Bytes > 0 && !places.Add((main.File, main.Offset, main.Bytes)) && storage.Kind == StorageKind.Parameter ? storage with { Kind = StorageKind.Alias }
                : storage);
        }
        return storages.ToImmutable();
    }

    private static ImmutableArray<InspectedFile> Files(InspectionSource source)
    {
        var byFile = source.Checkpoint.Tensors.ToLookup(tensor => tensor.File, StringComparer.Ordinal);
        return [.. source.Checkpoint.Files.Select(file => new InspectedFile(file, source.SizeOf(file), byFile[file].Count(), byFile[file].Sum(tensor => tensor.Bytes)))];
    }

    private static string? ArchitectureName(InspectionSource source) => source.Checkpoint.Gguf is { } metadata
        ? metadata.String("general.architecture")
        : source.Config is { } config ? TypeName(config) : null;

    private static string? TypeName(ModelConfig config) => config.String("model_type") ?? (config.Strings("architectures") is [var name, ..] ? name : null);

    /// <summary>The configuration file that <paramref name="path"/> is or holds, when there are no tensors with it.</summary>
    private static string? ConfigurationAlone(string path)
    {
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && !path.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
            return path;
        var inside = Path.Combine(path, "config.json");
        return Directory.Exists(path) && File.Exists(inside) && Checkpoint.Locate(path).IsEmpty ? inside : null;
    }

    private static ModelConfig ReadConfig(string path)
    {
        var length = new FileInfo(path).Length;
        return length <= MaxConfigBytes
            ? ModelConfig.Parse(path, File.ReadAllBytes(path))
            : throw new CheckpointFormatException(path, null, $"a configuration of at most {MaxConfigBytes:N0} bytes", $"{length:N0}");
    }
}

/// <summary>What there is to inspect, wherever it was read.</summary>
public sealed record InspectionSource
{
    public required Checkpoint Checkpoint { get; init; }

    public ModelConfig? Config { get; init; }

    public QuantizationConfig? Quantization { get; init; }

    /// <summary>Reads the tokenizer; a <see cref="CheckpointFormatException"/> becomes a problem.</summary>
    public Func<TokenizerFacts?> ReadTokenizer { get; init; } = () => null;

    /// <summary>The length of a file of the checkpoint; null when it is not known.</summary>
    public Func<string, long?> SizeOf { get; init; } = _ => null;
}
