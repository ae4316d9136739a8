using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>The engines that the planner knows, each with profiles by version.</summary>
public sealed class EngineCatalog
{
    private readonly ImmutableArray<Entry> entries;

    private EngineCatalog(ImmutableArray<Entry> entries) => this.entries = entries;

    /// <summary>The profiles that come with the product.</summary>
    public static EngineCatalog Default { get; } = LoadEmbedded();

    public IEnumerable<string> Names => entries.Select(entry => entry.Id);

    /// <summary>Finds the profile for <c>name</c> or <c>name@version</c>; without a version, the newest.</summary>
    /// <returns>Null when the engine is unknown.</returns>
    public EngineProfile? Find(string name)
    {
        var at = name.IndexOf('@');
        var engine = at < 0 ? name : name[..at];
        var entry = entries.FirstOrDefault(candidate => candidate.Id.Equals(engine, StringComparison.OrdinalIgnoreCase)
            || candidate.Aliases.Contains(engine, StringComparer.OrdinalIgnoreCase));
        if (entry is null)
            return null;
        if (at < 0)
            return entry.Profiles[^1];
        var asked = EngineVersion.Parse(name[(at + 1)..]);
        return entry.Profiles.LastOrDefault(profile => EngineVersion.Parse(profile.Since).CompareTo(asked) <= 0) ?? entry.Profiles[0];
    }

    /// <summary>Reads a file of corrections and lays it over a catalog: what was measured on the user's machine wins.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="CheckpointFormatException">It is no such file, or it names a constant that the engine does not have.</exception>
    public static EngineCatalog Load(Stream stream, string path, EngineCatalog below)
    {
        var catalog = below;
        foreach (var correction in EngineCorrections.Read(stream, path))
            catalog = catalog.With(correction, path);
        return catalog;
    }

    private EngineCatalog With(EngineCorrection correction, string path)
    {
        var entry = entries.FirstOrDefault(entry => entry.Id == correction.Engine)
            ?? throw new CheckpointFormatException(path, null, $"an engine of {string.Join(", ", Names)}", $"\"{correction.Engine}\"");
        // A later release of the product may begin its ranges elsewhere: the range that holds the version is meant.
        var profile = Find($"{correction.Engine}@{correction.Since}")!;
        if (!profile.IsSize(correction.Constant))
            throw new CheckpointFormatException(path, null, $"a constant of {correction.Engine} that is a size", $"\"{correction.Constant}\"");
        var corrected = profile.With(correction.Constant, new(correction.Bytes, null, correction.Source));
        return new(entries.Replace(entry, entry with { Profiles = entry.Profiles.Replace(profile, corrected) }));
    }

    private static EngineCatalog LoadEmbedded()
    {
        using var stream = typeof(EngineCatalog).Assembly.GetManifestResourceStream("engines.json")!;
        using var document = JsonDocument.Parse(stream);
        return new([.. document.RootElement.GetProperty("engines").EnumerateArray().Select(ReadEntry)]);
    }

    private static Entry ReadEntry(JsonElement engine)
    {
        var id = engine.GetProperty("id").GetString()!;
        var name = engine.GetProperty("name").GetString()!;
        var aliases = engine.GetProperty("aliases").EnumerateArray().Select(alias => alias.GetString()!);
        var profiles = engine.GetProperty("versions").EnumerateArray().Select(version => new EngineProfile(
            id,
            name,
            version.GetProperty("since").GetString()!,
            version.GetProperty("constants").EnumerateObject().ToDictionary(constant => constant.Name, constant => ReadConstant(constant.Value))));
        return new(id, [.. aliases], [.. profiles]);
    }

    internal static EngineConstant ReadConstant(JsonElement constant)
    {
        var source = constant.GetProperty("source").GetString()!;
        if (constant.TryGetProperty("value", out var value))
            return new(null, value.GetString(), source);
        return new(new ByteRange(Mebibytes("low_mib"), Mebibytes("expected_mib"), Mebibytes("high_mib")), null, source);

        long Mebibytes(string name) => ByteSize.FromMiB(constant.GetProperty(name).GetDouble()).Bytes;
    }

    private sealed record Entry(string Id, ImmutableArray<string> Aliases, ImmutableArray<EngineProfile> Profiles);
}

/// <summary>A version such as <c>4.46.0</c>, <c>0.21</c> or <c>b10276</c>, compared number by number.</summary>
internal readonly record struct EngineVersion(ImmutableArray<int> Parts) : IComparable<EngineVersion>
{
    public static EngineVersion Parse(string text) =>
        new([.. text.TrimStart('b', 'v').Split('.', '-', '+').TakeWhile(part => int.TryParse(part, out _)).Select(int.Parse)]);

    public int CompareTo(EngineVersion other)
    {
        for (var i = 0; i < Math.Max(Parts.Length, other.Parts.Length); i++)
        {
            var order = At(i).CompareTo(other.At(i));
            if (order != 0)
                return order;
        }
        return 0;
    }

    private int At(int index) => index < Parts.Length ? Parts[index] : 0;
}
