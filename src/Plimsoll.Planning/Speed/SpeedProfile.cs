using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Plimsoll.Planning.Speed;

/// <summary>The fitted constants of one engine on one vendor's GPUs.</summary>
/// <param name="Engine">The engine, in lower case.</param>
/// <param name="Vendor">The GPU vendor that it is for; null for every vendor without a profile of its own.</param>
/// <param name="Before">The engine version before which it holds; null for current versions.</param>
/// <param name="Architectures">GPU architectures whose measurements are in the fit.</param>
/// <param name="Measured">What else the fit has seen: weight families (<c>f16</c>, <c>ggml</c>), <c>experts</c>, <c>tensor-parallel</c>.</param>
/// <param name="Values">The constants by name; a name may carry a weight family in front, as in <c>ggml.layer_us</c>.</param>
public sealed record SpeedProfile(
    string Engine, string? Vendor, string? Before, ImmutableArray<string> Architectures, ImmutableArray<string> Measured, IReadOnlyDictionary<string, double> Values)
{
    /// <summary>A constant, for the weight family if it has its own; 0 when the profile does not have it.</summary>
    public double Value(string name, string? weightClass = null) =>
        weightClass is not null && Values.TryGetValue($"{weightClass}.{name}", out var own) ? own : Values.GetValueOrDefault(name);
}

/// <summary>The constants of the speed model: a versioned data file, fitted by <c>tools/FitSpeed</c>.</summary>
public sealed record SpeedConstants(int Version, string Source, ImmutableArray<SpeedProfile> Profiles)
{
    public const string Schema = "plimsoll.speed/1";

    private static readonly Lazy<SpeedConstants> DefaultConstants = new(() =>
    {
        using var stream = typeof(SpeedConstants).Assembly.GetManifestResourceStream("speed.json")!;
        return Read(stream);
    });

    /// <summary>The constants that come with the product.</summary>
    public static SpeedConstants Default => DefaultConstants.Value;

    /// <summary>The engines that have constants.</summary>
    public IEnumerable<string> Engines => Profiles.Select(profile => profile.Engine).Distinct();

    /// <summary>The profile for an engine, a version and a vendor; null when the engine was never measured.</summary>
    public SpeedProfile? Find(string engine, string? version, string vendor) =>
        Profiles
            .Where(profile => profile.Engine == engine && (profile.Vendor is null || profile.Vendor == vendor))
            .Where(profile => profile.Before is null || version is not null && CompareVersions(version, profile.Before) < 0)
            .OrderByDescending(profile => profile.Vendor is not null)
            .ThenByDescending(profile => profile.Before is not null)
            .FirstOrDefault();

    /// <exception cref="JsonException">The file is not JSON of this schema.</exception>
    public static SpeedConstants Read(Stream stream)
    {
        using var document = JsonDocument.Parse(stream);
        var root = document.RootElement;
        if (root.GetProperty("schema").GetString() != Schema)
            throw new JsonException($"expected the schema {Schema}");
        return new(root.GetProperty("version").GetInt32(), root.GetProperty("source").GetString()!, [.. root.GetProperty("profiles").EnumerateArray().Select(ReadProfile)]);
    }

    private static SpeedProfile ReadProfile(JsonElement profile)
    {
        string? Text(string name) => profile.TryGetProperty(name, out var value) ? value.GetString() : null;
        return new(
            Text("engine")!,
            Text("vendor"),
            Text("before"),
            [.. profile.GetProperty("architectures").EnumerateArray().Select(name => name.GetString()!)],
            [.. profile.GetProperty("measured").EnumerateArray().Select(name => name.GetString()!)],
            profile.GetProperty("values").EnumerateObject().ToDictionary(value => value.Name, value => value.Value.GetDouble()));
    }

    private static int CompareVersions(string left, string right)
    {
        var (first, second) = (left.Split('.', '-'), right.Split('.', '-'));
        for (var i = 0; i < Math.Max(first.Length, second.Length); i++)
        {
            var order = Part(first, i).CompareTo(Part(second, i));
            if (order != 0)
                return order;
        }
        return 0;
    }

    private static int Part(string[] parts, int i) => i < parts.Length && int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
