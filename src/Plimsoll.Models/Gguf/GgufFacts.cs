using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Gguf;

/// <summary>The keys of one architecture, with per-layer arrays spread out and impossible sizes refused.</summary>
internal sealed class GgufFacts
{
    private readonly GgufMetadata metadata;

    public GgufFacts(GgufMetadata metadata)
    {
        this.metadata = metadata;
        Architecture = metadata.String("general.architecture") ?? throw Bad("general.architecture", "a word", "no such key");
        Blocks = Count("block_count") ?? throw Bad(Name("block_count"), "an integer", "no such key");
        NextToken = Math.Min(Count("nextn_predict_layers") ?? 0, Blocks);
        Hidden = Width("embedding_length") ?? throw Bad(Name("embedding_length"), "an integer", "no such key");
        Heads = PerLayer("attention.head_count") ?? Repeat(0);
        KeyValueHeads = PerLayer("attention.head_count_kv") ?? Heads;
        FeedForward = PerLayer("feed_forward_length") ?? Repeat(0);
    }

    public string Architecture { get; }

    /// <summary>Blocks in the file, next-token ones included; those are the last.</summary>
    public int Blocks { get; }

    public int NextToken { get; }

    public int Layers => Blocks - NextToken;

    public int Hidden { get; }

    public ImmutableArray<int> Heads { get; }

    public ImmutableArray<int> KeyValueHeads { get; }

    public ImmutableArray<int> FeedForward { get; }

    public int MaxHeads => Heads.IsEmpty ? 0 : Heads.Max();

    public int KeyLength => Width("attention.key_length") ?? HiddenByHeads;

    public int ValueLength => Width("attention.value_length") ?? HiddenByHeads;

    public string Path => metadata.Path;

    private int HiddenByHeads => MaxHeads == 0 ? 0 : Hidden / MaxHeads;

    public int? Width(string key) => Integer(key, ConfigReader.MaxWidth);

    public int? Count(string key) => Integer(key, ConfigReader.MaxCount);

    public int? Tokens(string key) => Integer(key, int.MaxValue);

    public bool? Flag(string key) => metadata.Boolean(Name(key));

    public bool Has(string key) => metadata.Raw(Name(key)) is not null;

    /// <summary>One number per block; a single number holds for all. Null when absent.</summary>
    public ImmutableArray<int>? PerLayer(string key)
    {
        var numbers = metadata.Raw(Name(key)) switch
        {
            null => null,
            long number => (ImmutableArray<long>?)[number],
            bool flag => [flag ? 1 : 0],
            ImmutableArray<long> list => list,
            ImmutableArray<bool> flags => [.. flags.Select(flag => flag ? 1L : 0L)],
            var other => throw Bad(Name(key), "an integer or a list of integers", other.GetType().Name),
        };
        if (numbers is not { } values)
            return null;
        if (values.Length == 1)
            return Repeat(Check(key, values[0], ConfigReader.MaxWidth));
        if (values.Length < Blocks && values.Length != Layers)
            throw Bad(Name(key), $"{Blocks} numbers, one per block", $"{values.Length} numbers");
        return [.. values.Select(value => Check(key, value, ConfigReader.MaxWidth))];
    }

    public CheckpointFormatException Bad(string key, string expected, string found) => new(metadata.Path, null, $"{key} to be {expected}", found);

    private ImmutableArray<int> Repeat(int value) => [.. Enumerable.Repeat(value, Blocks)];

    private int? Integer(string key, int limit) => metadata.Raw(Name(key)) switch
    {
        null => null,
        long number => Check(key, number, limit),
        ImmutableArray<long> { Length: > 0 } list => Check(key, list.Max(), limit),
        var other => throw Bad(Name(key), "an integer", other.GetType().Name),
    };

    private int Check(string key, long value, int limit) =>
        value >= 0 && value <= limit ? (int)value : throw Bad(Name(key), $"between 0 and {limit}", value.ToString());

    private string Name(string key) => $"{Architecture}.{key}";
}
