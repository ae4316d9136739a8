using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Planning.Gpus;

/// <summary>Reads catalog files (<c>plimsoll.gpu-catalog/1</c>): first only where each entry lies, then one entry at a time.</summary>
internal static class GpuCatalogReader
{
    public const string Schema = "plimsoll.gpu-catalog/1";

    // A GPU catalog is a hundred kilobytes; a user's file beyond this is a mistake.
    public const int MaxBytes = 16 << 20;

    /// <summary>Where the entries lie. Nothing but names is read, so that finding one GPU costs one pass over the text.</summary>
    public static GpuCatalogIndex ReadIndex(string path, ReadOnlyMemory<byte> json)
    {
        try
        {
            return ScanIndex(path, json);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            throw new GpuCatalogFormatException(path, $"not a GPU catalog: {failure.Message}", failure);
        }
    }

    /// <summary>One entry, laid over the entry of the same id in the catalog below, if there is one.</summary>
    public static GpuSpec ReadEntry(GpuCatalogIndex index, GpuEntryLocation location, GpuSpec? below)
    {
        try
        {
            using var document = JsonDocument.Parse(index.Json.Slice(location.Offset, location.Length));
            return ReadSpec(index, document.RootElement, location.Id, below);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new GpuCatalogFormatException(index.Path, $"GPU {location.Id}: {failure.Message}", failure);
        }
    }

    private static GpuCatalogIndex ScanIndex(string path, ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, MaxDepth = 8 });
        var sources = new Dictionary<string, string>();
        var entries = ImmutableArray.CreateBuilder<GpuEntryLocation>();
        var schema = "";
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (name == "schema")
                schema = reader.GetString() ?? "";
            else if (name == "sources")
                ReadSources(ref reader, sources);
            else if (name == "gpus")
                ScanEntries(ref reader, entries);
            else
                reader.Skip();
        }
        if (schema != Schema)
            throw new GpuCatalogFormatException(path, $"expected \"schema\": \"{Schema}\", found \"{schema}\"");
        if (entries.GroupBy(entry => entry.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new GpuCatalogFormatException(path, $"the id {twice.Key} appears twice");
        return new(path, json, sources, entries.ToImmutable());
    }

    private static void ReadSources(ref Utf8JsonReader reader, Dictionary<string, string> sources)
    {
        Require(reader.TokenType, JsonTokenType.StartObject, "sources");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            sources[key] = reader.GetString() ?? "";
        }
    }

    private static void ScanEntries(ref Utf8JsonReader reader, ImmutableArray<GpuEntryLocation>.Builder entries)
    {
        Require(reader.TokenType, JsonTokenType.StartArray, "gpus");
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var start = (int)reader.TokenStartIndex;
            string? id = null, name = null;
            var aliases = ImmutableArray<string>.Empty;
            var isDefault = false;
            int? memory = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("id"u8))
                    id = ReadString(ref reader);
                else if (reader.ValueTextEquals("name"u8))
                    name = ReadString(ref reader);
                else if (reader.ValueTextEquals("aliases"u8))
                    aliases = ReadStrings(ref reader);
                else if (reader.ValueTextEquals("default"u8))
                {
                    reader.Read();
                    isDefault = reader.GetBoolean();
                }
                else if (reader.ValueTextEquals("memory_gib"u8))
                    memory = ReadMemory(ref reader);
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }
            var length = (int)reader.BytesConsumed - start;
            entries.Add(new(id ?? throw new JsonException($"the entry at byte {start} has no \"id\""), name, aliases, memory, isDefault, start, length));
        }
    }

    private static string? ReadString(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetString();
    }

    private static ImmutableArray<string> ReadStrings(ref Utf8JsonReader reader)
    {
        var strings = ImmutableArray.CreateBuilder<string>();
        reader.Read();
        Require(reader.TokenType, JsonTokenType.StartArray, "aliases");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            strings.Add(reader.GetString()!);
        return strings.ToImmutable();
    }

    private static int ReadMemory(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number)
            return (int)reader.GetDouble();
        Require(reader.TokenType, JsonTokenType.StartArray, "memory_gib");
        reader.Read();
        var memory = (int)reader.GetDouble();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
        }
        return memory;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        reader.Read();
        Require(reader.TokenType, type, "the file");
    }

    private static void Require(JsonTokenType found, JsonTokenType expected, string what)
    {
        if (found != expected)
            throw new JsonException($"{what}: expected {expected}, found {found}");
    }

    private static GpuSpec ReadSpec(GpuCatalogIndex index, JsonElement entry, string id, GpuSpec? below)
    {
        Sourced? Figure(string name, Sourced? inherited) => entry.TryGetProperty(name, out var value) ? ReadFigure(index, name, value) : inherited;
        string? Text(string name, string? inherited) => entry.TryGetProperty(name, out var value) ? value.GetString() : inherited;

        var label = Figure("memory_gib", below?.LabelledGiB) ?? throw new FormatException("\"memory_gib\" is missing");
        var reported = Figure("reported_mib", below?.ReportedMiB);
        return new()
        {
            Id = id,
            Name = Text("name", below?.Name) ?? id,
            Vendor = Text("vendor", below?.Vendor) ?? "",
            Architecture = Text("architecture", below?.Architecture),
            ComputeCapability = Text("compute_capability", below?.ComputeCapability),
            Aliases = entry.TryGetProperty("aliases", out var aliases) ? [.. aliases.EnumerateArray().Select(alias => alias.GetString()!)] : below?.Aliases ?? [],
            IsDefaultSize = entry.TryGetProperty("default", out var isDefault) ? isDefault.GetBoolean() : below?.IsDefaultSize ?? false,
            LabelledGiB = label,
            ReportedMiB = reported,
            UsableMiB = Figure("usable_mib", below?.UsableMiB) ?? UsableRule(reported?.Value ?? label.Value * 1024),
            UnifiedMemory = entry.TryGetProperty("unified", out var unified) ? unified.GetBoolean() : below?.UnifiedMemory ?? false,
            Bandwidth = Figure("bandwidth_gbs", below?.Bandwidth),
            Rates = entry.TryGetProperty("tflops", out var rates) ? ReadRates(index, rates, below) : below?.Rates ?? ImmutableDictionary<RateKind, Sourced>.Empty,
            Cores = Figure("cores", below?.Cores),
            TensorCores = Figure("tensor_cores", below?.TensorCores),
            PcieBandwidth = Figure("pcie_gbs", below?.PcieBandwidth),
            NvlinkBandwidth = Figure("nvlink_gbs", below?.NvlinkBandwidth),
            PowerWatts = Figure("tdp_w", below?.PowerWatts),
            LaunchYear = Figure("year", below?.LaunchYear),
            LaunchPriceUsd = Figure("price_usd", below?.LaunchPriceUsd),
            RentalPrices = entry.TryGetProperty("rental_usd_per_hour", out var prices) ? [.. prices.EnumerateArray().Select(price => ReadPrice(index, price))] : below?.RentalPrices ?? [],
        };
    }

    /// <summary>What a process can get of what the driver reports: 256 MiB and 0.5 % stay with the driver (seen on eight kinds of NVIDIA cards).</summary>
    public static Sourced UsableRule(double reportedMiB) =>
        new(Math.Floor(reportedMiB * 0.995) - 256, "rule: what the driver reports less 256 MiB and 0.5 %", SourceMark.Derived);

    private static ImmutableDictionary<RateKind, Sourced> ReadRates(GpuCatalogIndex index, JsonElement rates, GpuSpec? below)
    {
        var all = (below?.Rates ?? ImmutableDictionary<RateKind, Sourced>.Empty).ToBuilder();
        foreach (var rate in rates.EnumerateObject())
        {
            var kind = GpuRates.Find(rate.Name) ?? throw new FormatException($"unknown rate \"{rate.Name}\"; known: {string.Join(", ", GpuRates.Names)}");
            all[kind] = ReadFigure(index, rate.Name, rate.Value);
        }
        return all.ToImmutable();
    }

    /// <summary>A bare number (the user's own figure), or <c>[value, source, mark, note]</c>.</summary>
    private static Sourced ReadFigure(GpuCatalogIndex index, string name, JsonElement value)
    {
        var number = (value.ValueKind == JsonValueKind.Array ? value[0] : value).GetDouble();
        if (!double.IsFinite(number) || number <= 0)
            throw new FormatException($"\"{name}\" must be above 0, found {number}");
        if (value.ValueKind != JsonValueKind.Array)
            return new(number, index.Path);
        var length = value.GetArrayLength();
        var mark = length > 2 ? ReadMark(value[2].GetString()) : SourceMark.Cited;
        return new(number, length > 1 ? index.SourceOf(value[1].GetString()) : index.Path, mark, length > 3 ? value[3].GetString() : null);
    }

    private static SourceMark ReadMark(string? mark) => mark switch
    {
        "derived" => SourceMark.Derived,
        "conflict" => SourceMark.Conflict,
        _ => throw new FormatException($"unknown mark \"{mark}\"; known: derived, conflict"),
    };

    /// <summary>A bare number, or <c>[usd, provider, kind, date, source]</c>.</summary>
    private static RentalPrice ReadPrice(GpuCatalogIndex index, JsonElement price)
    {
        if (price.ValueKind == JsonValueKind.Number)
            return new(price.GetDouble(), "", "on-demand", null, index.Path);
        string? Part(int i) => price.GetArrayLength() > i ? price[i].GetString() : null;
        return new(price[0].GetDouble(), Part(1) ?? "", Part(2) ?? "on-demand", Part(3), Part(4) is { } source ? index.SourceOf(source) : index.Path);
    }
}

/// <summary>Where one entry lies in its file, and by which names it can be found.</summary>
internal sealed record GpuEntryLocation(string Id, string? Name, ImmutableArray<string> Aliases, int? MemoryGiB, bool IsDefaultSize, int Offset, int Length);

/// <summary>One catalog file: its text, its sources, and where its entries lie.</summary>
internal sealed class GpuCatalogIndex(string path, ReadOnlyMemory<byte> json, IReadOnlyDictionary<string, string> sources, ImmutableArray<GpuEntryLocation> entries)
{
    public string Path { get; } = path;

    public ReadOnlyMemory<byte> Json { get; } = json;

    public ImmutableArray<GpuEntryLocation> Entries { get; } = entries;

    /// <summary>The source in words; a text that is no key of the file's <c>sources</c> stands for itself.</summary>
    public string SourceOf(string? key) => key is null ? Path : sources.GetValueOrDefault(key, key);
}
