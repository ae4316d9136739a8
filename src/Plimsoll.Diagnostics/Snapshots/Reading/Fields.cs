namespace Plimsoll.Diagnostics.Snapshots.Reading;

/// <summary>The entries of a dictionary by word. A dictionary of this format has a dozen at most, so it is searched.</summary>
internal readonly ref struct Fields(ReadOnlySpan<Node> keysAndValues, SnapshotBuilder builder)
{
    private readonly ReadOnlySpan<Node> _keysAndValues = keysAndValues;

    public Node? Get(Word word)
    {
        for (var i = 0; i < _keysAndValues.Length; i += 2)
        {
            if (_keysAndValues[i].Kind == NodeKind.Text && _keysAndValues[i].Value == (long)word)
                return _keysAndValues[i + 1];
        }
        return null;
    }

    public bool Has(Word word) => Get(word) is not null;

    /// <summary>A number, a truth value as 0 or 1, or 0 where there is none.</summary>
    public long Integer(Word word) => Get(word) switch
    {
        null or { Kind: NodeKind.None } => 0,
        { Kind: NodeKind.Integer or NodeKind.Boolean } node => node.Value,
        { } other => throw builder.Bad($"an integer as '{word.Name()}'", $"{other.Kind}"),
    };

    /// <summary>A size, which is there and not negative.</summary>
    public long Bytes(Word word)
    {
        if (!Has(word))
            throw builder.Bad($"'{word.Name()}'", "none");
        return Integer(word) is >= 0 and <= SnapshotReader.MaxBytes and var bytes ? bytes : throw builder.Bad($"0 to {SnapshotReader.MaxBytes:N0} bytes as '{word.Name()}'", $"{Integer(word)}");
    }

    public string Text(Word word) => Get(word) is { } node ? builder.TextOf(node) : "";

    public int Stack() => Get(Word.Frames) is { Kind: NodeKind.Stack } node ? (int)node.Value : StackTable.None;

    /// <summary>The rows of a list of things of one kind.</summary>
    public (int First, int Count) Rows(Word word, NodeKind kind) => Get(word) switch
    {
        null or { IsEmptySequence: true } => (0, 0),
        { Count: > 0 } node when node.Kind == kind => ((int)node.Value, node.Count),
        { } other => throw builder.Bad($"a list as '{word.Name()}'", $"{other.Kind}"),
    };
}
