using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning.Training;

/// <summary>The training frameworks that the planner knows: how each one computes, as constants with sources (<c>trainers.json</c>).</summary>
public static class TrainerCatalog
{
    private static readonly ImmutableArray<Entry> Entries = Load();

    /// <summary>Hugging Face transformers with PEFT.</summary>
    public static EngineProfile Default => Find("transformers")!;

    public static IEnumerable<string> Names => Entries.Select(entry => entry.Profile.Id).Distinct();

    /// <summary>Finds the profile for <c>name</c> or <c>name@version</c>; without a version, the newest.</summary>
    /// <returns>Null when the framework is unknown.</returns>
    public static EngineProfile? Find(string name)
    {
        var parts = name.Trim().ToLowerInvariant().Split('@', 2);
        var found = Entries.Where(entry => entry.Profile.Id == parts[0] || entry.Aliases.Contains(parts[0])).Select(entry => entry.Profile).ToList();
        if (parts.Length == 1 || found.Count == 0)
            return found.LastOrDefault();
        var asked = EngineVersion.Parse(parts[1]);
        return found.LastOrDefault(profile => EngineVersion.Parse(profile.Since).CompareTo(asked) <= 0) ?? found[0];
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
            var since = trainer.TryGetProperty("since", out var version) ? version.GetString()! : "";
            // A framework states only what it does differently from the one it is like.
            var constants = trainer.TryGetProperty("like", out var like) ? new Dictionary<string, EngineConstant>(read[like.GetString()!]) : [];
            foreach (var constant in trainer.GetProperty("constants").EnumerateObject())
                constants[constant.Name] = EngineCatalog.ReadConstant(constant.Value);
            read[id] = constants;
            read[$"{id}@{since}"] = constants;
            entries.Add(new(new(id, trainer.GetProperty("name").GetString()!, since, constants), [.. trainer.GetProperty("aliases").EnumerateArray().Select(alias => alias.GetString()!)]));
        }
        return entries.ToImmutable();
    }

    private sealed record Entry(EngineProfile Profile, ImmutableArray<string> Aliases);
}
