using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Planning.Launch;

/// <summary>One option or key of a tool, as its own source spells it.</summary>
/// <param name="Name">For example <c>--tensor-parallel-size</c> or <c>fsdp_config.fsdp_version</c>.</param>
/// <param name="Meaning">What a plan puts there.</param>
/// <param name="Source">The file of the tool that defines it.</param>
public sealed record LaunchOption(string Name, string Meaning, string Source);

/// <summary>A tool that plans are written for, with every option that may appear in what is written.</summary>
/// <param name="Version">The version, or the commit, whose source the names were checked against.</param>
/// <param name="Values">Words the tool wants instead of ours, by table: <c>kv_cache</c>, <c>optimizer</c>.</param>
public sealed record LaunchTool(
    string Id,
    string Name,
    string Version,
    ImmutableArray<LaunchOption> Options,
    FrozenDictionary<string, FrozenDictionary<string, string>> Values)
{
    private readonly FrozenSet<string> names = Options.Select(option => option.Name).ToFrozenSet();

    /// <summary>The name itself; an option that nobody checked is a mistake of ours.</summary>
    internal string Checked(string option) =>
        names.Contains(option) ? option : throw new InvalidOperationException($"launch.json lists no option '{option}' of {Id}");

    /// <summary>What the tool calls <paramref name="word"/>; null when it has no such thing.</summary>
    internal string? Value(string table, string word) => Values[table].GetValueOrDefault(word);

    /// <summary>Our words of a table, for messages.</summary>
    internal IEnumerable<string> Words(string table) => Values[table].Keys.Order(StringComparer.Ordinal);
}

/// <summary>The tools that launch configurations are written for (<c>catalog/launch.json</c>).</summary>
public static class LaunchTools
{
    public static ImmutableArray<LaunchTool> All { get; } = Load();

    internal static LaunchTool Vllm { get; } = Find("vllm");

    internal static LaunchTool LlamaCpp { get; } = Find("llama.cpp");

    internal static LaunchTool Transformers { get; } = Find("transformers");

    internal static LaunchTool Kubernetes { get; } = Find("kubernetes");

    internal static LaunchTool Accelerate { get; } = Find("accelerate");

    internal static LaunchTool DeepSpeed { get; } = Find("deepspeed");

    internal static LaunchTool Axolotl { get; } = Find("axolotl");

    private static LaunchTool Find(string id) => All.Single(tool => tool.Id == id);

    private static ImmutableArray<LaunchTool> Load()
    {
        using var stream = typeof(LaunchTools).Assembly.GetManifestResourceStream("launch.json")!;
        using var document = JsonDocument.Parse(stream);
        return [.. document.RootElement.GetProperty("tools").EnumerateArray().Select(ReadTool)];
    }

    private static LaunchTool ReadTool(JsonElement tool) => new(
        Text(tool, "id"),
        Text(tool, "name"),
        Text(tool, "version"),
        [.. tool.GetProperty("options").EnumerateArray().SelectMany(ReadOptions)],
        tool.GetProperty("values").EnumerateObject().ToFrozenDictionary(
            table => table.Name,
            table => table.Value.EnumerateObject().ToFrozenDictionary(pair => pair.Name, pair => pair.Value.GetString()!)));

    /// <summary>One file of the tool with the options it defines.</summary>
    private static IEnumerable<LaunchOption> ReadOptions(JsonElement group)
    {
        var source = Text(group, "source");
        return group.GetProperty("names").EnumerateObject().Select(option => new LaunchOption(option.Name, option.Value.GetString()!, source));
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
