using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning.Training;

/// <summary>The training frameworks that the planner knows: how each one computes, as constants with sources (<c>trainers.json</c>).</summary>
public static class TrainerCatalog
{
    private static readonly ImmutableArray<Entry> Entries = Load();

    /// <summary>Hugging Face transformers with PEFT.</summary>
    public static EngineProfile Default => Entries[0].Profile;

    public static IEnumerable<string> Names => Entries.Select(entry => entry.Profile.Id);

    /// <returns>Null when the framework is unknown.</returns>
    public static EngineProfile? Find(string name)
    {
        var key = name.Trim().ToLowerInvariant();
        return Entries.FirstOrDefault(entry => entry.Profile.Id == key || entry.Aliases.Contains(key))?.Profile;
    }

    private static ImmutableArray<Entry> Load()
    {
        using var stream = typeof(TrainerCatalog).Assembly.GetManifestResourceStream("trainers.json")!;
        using var document = JsonDocument.Parse(stream);
        var read = new Dictionary<string, Dictionary<string, EngineConstant>>();
        var entries = ImmutableArray.CreateBuilder<Entry>();
        foreach (var trainer in document.RootElement.GetProperty("trainers").EnumerateArray())
        {
            var id = trainer.GetProperty("id").GetString()!;
            // A framework states only what it does differently from the one it is like.
            var constants = trainer.TryGetProperty("like", out var like) ? new Dictionary<string, EngineConstant>(read[like.GetString()!]) : [];
            foreach (var constant in trainer.GetProperty("constants").EnumerateObject())
                constants[constant.Name] = EngineCatalog.ReadConstant(constant.Value);
            read[id] = constants;
            entries.Add(new(new(id, trainer.GetProperty("name").GetString()!, "", constants), [.. trainer.GetProperty("aliases").EnumerateArray().Select(alias => alias.GetString()!)]));
        }
        return entries.ToImmutable();
    }

    private sealed record Entry(EngineProfile Profile, ImmutableArray<string> Aliases);
}
