using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Gpus;

/// <summary>The known GPUs: the list that comes with the product, with the user's own files laid over it.</summary>
/// <remarks>Opening costs one pass over the text; an entry is built when it is asked for.</remarks>
public sealed class GpuCatalog
{
    private static readonly Lazy<GpuCatalog> DefaultCatalog = new(LoadDefault);

    private readonly ImmutableArray<GpuCatalogIndex> layers;
    private readonly ImmutableArray<string> ids;
    private readonly Dictionary<string, GpuSpec> built = new(StringComparer.Ordinal);
    private Dictionary<string, List<GpuEntryLocation>>? byName;

    private GpuCatalog(ImmutableArray<GpuCatalogIndex> layers)
    {
        this.layers = layers;
        ids = [.. layers.SelectMany(layer => layer.Entries).Select(entry => entry.Id).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The list that comes with the product.</summary>
    public static GpuCatalog Default => DefaultCatalog.Value;

    /// <summary>The ids in catalog order, new entries of the user's files last.</summary>
    public IReadOnlyList<string> Ids => ids;

    /// <summary>Every GPU. Builds all entries: for lists and searches only.</summary>
    public IEnumerable<GpuSpec> All => ids.Select(id => Build(id)!);

    /// <summary>Lays a file of the same format over this catalog. An entry with a known id replaces only the values that it states, so prices can be given alone.</summary>
    /// <param name="path">The file, for messages and as the source of bare numbers.</param>
    /// <exception cref="GpuCatalogFormatException">The file is not a GPU catalog, or an entry of it cannot be read.</exception>
    public GpuCatalog Load(Stream stream, string path)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var layer = GpuCatalogReader.ReadIndex(path, ReadAll(stream, path));
        var catalog = new GpuCatalog(layers.Add(layer));
        foreach (var entry in layer.Entries)
            _ = catalog.Build(entry.Id); // the user learns of a mistake in the file now, not when the GPU is asked for
        return catalog;
    }

    /// <summary>Finds a GPU by id, name or alias, whatever the case and punctuation, with or without brand and memory size.</summary>
    /// <returns>The GPU; null when no name fits, or when the stated memory size was never sold.</returns>
    public GpuSpec? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Build(name.Trim().ToLowerInvariant()) is { } exact)
            return exact;
        var key = GpuNames.Parse(name);
        if (key.Base.Length == 0 || !Names.TryGetValue(key.Base, out var candidates))
            return null;
        var fitting = key.MemoryGiB is { } memory ? candidates.Where(candidate => SameSize(candidate.MemoryGiB, memory)) : candidates;
        var best = fitting.OrderByDescending(candidate => candidate.IsDefaultSize).FirstOrDefault();
        return best is null ? null : Build(best.Id);
    }

    /// <summary>The ids that an unknown name may have meant, best first.</summary>
    public IReadOnlyList<string> Suggest(string name, int count = 3) =>
        [.. ClosestNames.Find(GpuNames.Parse(name).Base, Names.Keys).SelectMany(key => Names[key]).Select(entry => entry.Id).Distinct().Take(count)];

    private Dictionary<string, List<GpuEntryLocation>> Names => byName ??= BuildNames();

    private static GpuCatalog LoadDefault()
    {
        using var stream = typeof(GpuCatalog).Assembly.GetManifestResourceStream("gpus.json")!;
        return new([GpuCatalogReader.ReadIndex("the built-in GPU catalog", ReadAll(stream, "gpus.json"))]);
    }

    private static byte[] ReadAll(Stream stream, string path)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[1 << 16];
        int read;
        while ((read = stream.Read(chunk)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > GpuCatalogReader.MaxBytes)
                throw new GpuCatalogFormatException(path, $"larger than {GpuCatalogReader.MaxBytes >> 20} MiB, which no GPU catalog is");
        }
        return buffer.ToArray();
    }

    private GpuSpec? Build(string id)
    {
        if (built.TryGetValue(id, out var known))
            return known;
        GpuSpec? spec = null;
        foreach (var layer in layers)
        {
            var location = layer.Entries.FirstOrDefault(entry => entry.Id == id);
            if (location is not null)
                spec = GpuCatalogReader.ReadEntry(layer, location, spec);
        }
        if (spec is not null)
            built[id] = spec;
        return spec;
    }

    private Dictionary<string, List<GpuEntryLocation>> BuildNames()
    {
        var names = new Dictionary<string, List<GpuEntryLocation>>(StringComparer.Ordinal);
        // Later layers may rename a GPU; what an entry of an earlier layer was called stays valid.
        foreach (var entry in layers.SelectMany(layer => layer.Entries))
        {
            foreach (var name in entry.Aliases.Prepend(entry.Name ?? entry.Id).Prepend(entry.Id))
            {
                foreach (var key in GpuNames.Variants(GpuNames.Parse(name).Base))
                {
                    if (!names.TryGetValue(key, out var list))
                        names[key] = list = [];
                    if (!list.Exists(other => other.Id == entry.Id))
                        list.Add(entry);
                }
            }
        }
        return names;
    }

    /// <summary>Cloud lists round 141 GiB to 143 GB or 180 to 192; two per cent is the same product.</summary>
    private static bool SameSize(int? label, int asked) => label is { } size && Math.Abs(size - asked) * 50 <= size;
}
