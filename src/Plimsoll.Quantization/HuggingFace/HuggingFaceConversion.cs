using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Folding;
using Plimsoll.Quantization.HuggingFace.Layers;
using Plimsoll.Quantization.HuggingFace.Layers.Integers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>Plans a folder that transformers and vLLM load: safetensors shards, their index, <c>config.json</c> and the files of the tokenizer.</summary>
public static class HuggingFaceConversion
{
    /// <exception cref="QuantizationRefusedException">The model cannot be converted so; the message says why.</exception>
    /// <exception cref="Checkpoints.CheckpointFormatException">The checkpoint contradicts itself, or a layer is in a layout that is not known here.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static OutputPlan Plan(LocatedModel model, HuggingFaceRecipe recipe)
    {
        var source = SourceLayers.Open(model);
        var draft = new ConversionDraft(source, recipe);
        draft.AddParameters();
        var files = Shards.Plan(draft.Jobs, recipe.MaxShardBytes, Provenance.Of(source, recipe));
        return new(IsFolder: true, files.Files, [ConfigFile.Rewrite(source, recipe, draft.PlainModules), .. OwnConfig(recipe, draft), .. files.Index, .. source.Folder is { } folder ? SideFiles.Of(folder) : []], draft.Notes);
    }

    private static IEnumerable<SideFile> OwnConfig(HuggingFaceRecipe recipe, ConversionDraft draft) =>
        recipe.Linear is { OwnConfigFile: { } name } linear ? [ConfigFile.Own(name, linear, draft.PlainModules)] : [];
}

/// <summary>Decides what becomes of every parameter.</summary>
internal sealed class ConversionDraft(SourceLayers source, HuggingFaceRecipe recipe)
{
    private readonly ImmutableArray<WeightJob>.Builder jobs = ImmutableArray.CreateBuilder<WeightJob>();
    private readonly ImmutableArray<string>.Builder notes = ImmutableArray.CreateBuilder<string>();
    private readonly List<string> plainModules = [];
    private readonly Dictionary<string, int> obstacles = new(StringComparer.Ordinal);
    private int transcoded;
    private readonly List<(string? Key, List<StoredWeight> Layers, SourceParameter First, int Place)> layers = [];
    private readonly LayerRounding rounding = new(recipe);

    public ImmutableArray<WeightJob> Jobs => jobs.ToImmutable();

    public ImmutableArray<string> Notes => notes.ToImmutable();

    /// <summary>Linear layers that keep their precision, as configurations name them.</summary>
    /// <remarks>A tied head is not stored and yet a layer of the model that engines would look for scales of.</remarks>
    public IReadOnlyList<string> PlainModules => plainModules.Contains(LinearFormat.HeadModule) ? plainModules : [LinearFormat.HeadModule, .. plainModules];

    /// <summary>The type of what is decoded and not quantized again.</summary>
    private NumberFormat PlainFormat => recipe.Plain ?? source.PlainFormat;

    public void AddParameters()
    {
        if (source.Folder is null)
            notes.Add("A GGUF file has no tokenizer of Hugging Face: take tokenizer.json or tokenizer.model from the original model.");
        foreach (var parameter in source.Parameters)
            Add(parameter);
        // Layers that share a scale are written where the first of them lies.
        foreach (var (job, place) in layers.Select(layer => (CreateJob(layer.First, [.. layer.Layers]), layer.Place)).ToList().AsEnumerable().Reverse())
            jobs.Insert(place, job);
        notes.AddRange(rounding.Notes());
        if (transcoded > 0)
            notes.Add($"{transcoded} layers are moved from one layout to the other without any change of their weights.");
        if (transcoded > 0 && layers.Count > 0)
            notes.Add($"{layers.Count} layers are rounded a second time: {recipe.Linear!.Description} cannot hold their numbers as they are.");
        if (recipe.Linear is { } linear && layers.Count + transcoded == 0)
            throw new QuantizationRefusedException($"nothing in {source.Shape.Id} can be stored as {linear.Name}{(obstacles.Count > 0 ? $" because {obstacles.Keys.First()}" : ": its linear layers are fused or were not found")}");
        foreach (var (obstacle, count) in obstacles)
            notes.Add($"{count} linear layers keep their precision because {obstacle}.");
    }

    private void Add(SourceParameter parameter)
    {
        var storage = parameter.Storage;
        if (storage.Kind == StorageKind.Orphan)
        {
            notes.Add($"{storage.Name} is left out: it belongs to a weight that is not there.");
            return;
        }
        if (source.Shape.TiedEmbeddings && parameter.Shape is null && TensorRoles.OfName(storage.Name) == TensorRole.OutputHead)
        {
            notes.Add($"{storage.Name} is left out: it is tied to the embedding.");
            return;
        }
        var weight = recipe.Folds?.Apply(parameter.Open()) ?? parameter.Open();
        if (recipe.Linear is { } linear && parameter.IsLayer && Obstacle(linear, weight) is null)
            AddLayer(linear, parameter, weight);
        else
            AddPlain(parameter, weight);
    }

    private string? Obstacle(LinearFormat linear, StoredWeight weight)
    {
        var obstacle = source.Obstacle(linear, weight);
        if (obstacle is not null)
            obstacles[obstacle] = obstacles.GetValueOrDefault(obstacle) + 1;
        return obstacle;
    }

    private void AddLayer(LinearFormat linear, SourceParameter parameter, StoredWeight weight)
    {
        if (parameter.IsQuantized && linear.CreateTranscode(weight, PlainFormat) is { } transcode)
        {
            transcoded++;
            jobs.Add(transcode);
            return;
        }
        if (parameter.IsQuantized && !recipe.AllowRequantize)
            throw new QuantizationRefusedException($"{weight.Name} is quantized already ({weight.Storage.TypeName}) and would be rounded a second time; allow it with --requantize, or start from the original weights");
        var key = linear.FusedKey(weight.Storage.Module);
        if (key is not null && layers.Find(group => group.Key == key && group.Layers[0].RowLength == weight.RowLength) is { Layers: { } members })
            members.Add(weight);
        else
            layers.Add((key, [weight], parameter, jobs.Count));
    }

    private WeightJob CreateJob(SourceParameter first, ImmutableArray<StoredWeight> members) => recipe.Linear is IntegerFormat integers
        ? integers.CreateJob(members[0], PlainFormat, grid => rounding.Rounder(first, grid))
        : recipe.Linear!.CreateJob(members, PlainFormat);

    private void AddPlain(SourceParameter parameter, StoredWeight weight)
    {
        var tensor = parameter.Storage.Main;
        if (parameter.IsLinear)
            plainModules.Add(parameter.Storage.Module);
        var isFloat = tensor.Format.Kind == NumberFormatKind.Float && parameter.Storage.Kind == StorageKind.Parameter;
        if (parameter.IsQuantized || (isFloat && recipe.Plain is { } plain && plain != tensor.Format))
            jobs.Add(new CastJob(weight, PlainFormat));
        else if (weight is not FoldedWeight && tensor.Strides is null && source.Stored is { } stored)
            jobs.Add(new CopyJob(weight, tensor, stored));
        else
            jobs.Add(new CastJob(weight, tensor.Format));
    }
}
