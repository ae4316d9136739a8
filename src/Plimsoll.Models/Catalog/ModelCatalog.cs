using Plimsoll.Checkpoints;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Catalog;

/// <summary>The known models by name. Opening it reads names only; a configuration is parsed when its entry is asked for its shape.</summary>
public sealed class ModelCatalog
{
    private const string Resource = "Plimsoll.Models.Catalog.models.json";

    private static readonly Lazy<ModelCatalog> Embedded = new(LoadEmbedded);

    private readonly Dictionary<string, ModelCatalogEntry> byKey;
    private readonly Lazy<Dictionary<string, ModelCatalogEntry>> byKeyWithoutDate;
    private readonly List<ModelCatalogEntry> entries;
    private readonly ModelCatalog? below;

    private ModelCatalog(List<ModelCatalogEntry> entries, ModelCatalog? below)
    {
        this.entries = entries;
        this.below = below;
        byKey = Index(entries, withoutDate: false);
        byKeyWithoutDate = new(() => Index(entries, withoutDate: true));
    }

    /// <summary>The catalog that comes with the product.</summary>
    public static ModelCatalog Default => Embedded.Value;

    /// <summary>All entries; one that is overridden by a catalog on top is left out.</summary>
    public IEnumerable<ModelCatalogEntry> Entries =>
        below is null ? entries : entries.Concat(below.Entries.Where(entry => !byKey.ContainsKey(ModelName.Key(entry.Id))));

    /// <summary>Reads a catalog in the format of <c>catalog/models.json</c> and lays it over another: its entries win.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="CheckpointFormatException">It is not such a catalog.</exception>
    public static ModelCatalog Load(Stream stream, string path, ModelCatalog? below = null)
    {
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return new(ModelCatalogFile.Read(path, buffer.ToArray()), below);
    }

    /// <summary>The model of this name, whatever its owner, case, punctuation, tuning suffix or quantization tag; null when the catalog has none. Never one of another size.</summary>
    public ModelCatalogEntry? Find(string name)
    {
        if (ModelName.Key(name) is not { Length: > 0 } key)
            return null;
        return FindKey(key) ?? FindKeyWithoutDate(ModelName.Key(name, withoutDate: true));
    }

    /// <summary>The models whose name or alias contains the pattern, by the order of their ids.</summary>
    public IEnumerable<ModelCatalogEntry> Search(string pattern)
    {
        var key = ModelName.Key(pattern);
        return Entries
            .Where(entry => entry.Names.Any(name => name.Contains(pattern, StringComparison.OrdinalIgnoreCase) || (key.Length > 1 && ModelName.Key(name).Contains(key, StringComparison.Ordinal))))
            .OrderBy(entry => entry.Id, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The names that most resemble an unknown one, best first.</summary>
    public IReadOnlyList<string> Suggest(string name, int count = 3)
    {
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in Entries)
            keys.TryAdd(ModelName.Key(entry.Id), entry.ShortName);
        return ClosestNames.Find(ModelName.Key(name), keys.Keys, count).Select(key => keys[key]).ToList();
    }

    private ModelCatalogEntry? FindKey(string key) => byKey.GetValueOrDefault(key) ?? below?.FindKey(key);

    /// <summary>A date in the question is dropped, then one in the catalog: <c>DeepSeek-R1-0528</c> finds R1, <c>olmo-2-7b</c> finds OLMo-2-1124-7B.</summary>
    private ModelCatalogEntry? FindKeyWithoutDate(string key) => key.Length == 0 ? null : FindKey(key) ?? FindDated(key);

    private ModelCatalogEntry? FindDated(string key) => byKeyWithoutDate.Value.GetValueOrDefault(key) ?? below?.FindDated(key);

    private static Dictionary<string, ModelCatalogEntry> Index(List<ModelCatalogEntry> entries, bool withoutDate)
    {
        var index = new Dictionary<string, ModelCatalogEntry>(2 * entries.Count, StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            foreach (var name in entry.Names)
                index.TryAdd(ModelName.Key(name, withoutDate), entry);
        }
        return index;
    }

    private static ModelCatalog LoadEmbedded()
    {
        using var stream = typeof(ModelCatalog).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the resource {Resource} is missing from the assembly");
        return Load(stream, "the built-in model catalog");
    }
}
