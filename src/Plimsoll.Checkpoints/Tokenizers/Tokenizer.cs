using System.Collections.Immutable;
using System.Text;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tokenizers.Vocabularies;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Turns text into the tokens of a model and back. Safe for many threads.</summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokenSplitter _added;
    private readonly AddedTokenSplitter? _normalizedAdded;
    private readonly TokenBytes _bytes;
    private readonly Lazy<ImmutableHashSet<int>> _endOfGeneration;

    private Tokenizer(TokenizerSource source)
    {
        Vocabulary = source.Vocabulary;
        _parts = TokenizerParts.Of(source);
        // Tokens that are looked for in normalized text matter only where something is normalized.
        var late = _parts.Normalizers.IsEmpty ? [] : source.Added.Where(token => token.IsNormalized && !token.IsSpecial).ToList();
        _added = new([.. source.Added.Except(late)]);
        _normalizedAdded = late.Count > 0 ? new([.. late]) : null;
        _bytes = new(Vocabulary);
        _endOfGeneration = new(() => SpecialTokenTexts.FindEndOfGeneration(Vocabulary));
    }

    public Vocabulary Vocabulary { get; }

    /// <summary>Tokens after which a model has said what it had to say: the end of text, of a turn, of a call.</summary>
    public IReadOnlySet<int> EndOfGeneration => _endOfGeneration.Value;

    /// <summary>Loads the tokenizer of a folder, of one tokenizer file (<c>tokenizer.json</c>, <c>tokenizer.model</c>, <c>vocab.json</c> …), or of a GGUF file.</summary>
    /// <exception cref="CheckpointFormatException">There is no tokenizer, one that we do not know, or a broken one.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static Tokenizer Load(string path) => new(TokenizerSource.Read(path));

    /// <summary>The tokenizer inside a GGUF file.</summary>
    /// <exception cref="CheckpointFormatException">There is none, one of a kind that we cannot run, or a broken one.</exception>
    public static Tokenizer FromGguf(GgufMetadata metadata) => new(TokenizerSource.FromGguf(metadata));

    /// <summary>Turns text into tokens.</summary>
    /// <param name="text">Lone surrogates count as U+FFFD.</param>
    /// <param name="addSpecial">Whether the tokens that the model wants around a text (<c>bos</c>, <c>eos</c>) are added.</param>
    /// <param name="parseSpecial">Whether tokens that steer the model are found in the text; false for text of strangers, which must not steer.</param>
    public int[] Encode(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        var ids = new List<int>(text.Length / 3 + 8);
        if (addSpecial)
            ids.AddRange(_parts.Before.AsSpan());
        var valid = WellFormed(text);
        foreach (var (id, start, length) in _added.Split(valid, parseSpecial))
        {
            if (id >= 0)
                ids.Add(id);
            else
                EncodeText(length == valid.Length ? valid : valid.Substring(start, length), isFirst: start == 0, parseSpecial, ids);
        }
        if (addSpecial)
            ids.AddRange(_parts.After.AsSpan());
        return [.. ids];
    }

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="keepSpecial">Whether tokens that steer the model are written too.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool keepSpecial = false)
    {
        var stream = new TokenStream(this, keepSpecial);
        var text = new StringBuilder();
        foreach (var id in ids)
            text.Append(stream.Add(id));
        return _bytes.Clean(text.Append(stream.Flush()).ToString());
    }

    /// <summary>The bytes that a token stands for in text, a leading space included; the text itself of tokens that steer the model.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public ReadOnlySpan<byte> PieceBytes(int id) => _bytes.Of(id);

    /// <summary>Whether a token steers the model and is no text.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public bool IsControl(int id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)id, (uint)Vocabulary.Count, nameof(id));
        return Vocabulary.Types[id] is TokenType.Control or TokenType.Unknown;
    }

    internal bool HasSpacePrefix => _bytes.HasSpacePrefix;

    private void EncodeText(string text, bool isFirst, bool parseSpecial, List<int> ids)
    {
        foreach (var normalize in _parts.Normalizers)
            text = normalize(text);
        if (_normalizedAdded is null)
        {
            EncodePlain(text, isFirst, ids);
            return;
        }
        foreach (var (id, start, length) in _normalizedAdded.Split(text, parseSpecial))
        {
            if (id >= 0)
                ids.Add(id);
            else
                EncodePlain(text.Substring(start, length), isFirst && start == 0, ids);
        }
    }

    private void EncodePlain(string text, bool isFirst, List<int> ids)
    {
        if (text.Length == 0)
            return;
        if (_parts.EscapesSpaces)
            text = text.Replace(' ', '▁');
        if (_parts.Prefix.Length > 0 && (isFirst || !_parts.IsPrefixFirstOnly) && (_parts.IsPrefixRepeated || !text.StartsWith(_parts.Prefix, StringComparison.Ordinal)))
            text = _parts.Prefix + text;
        var (source, pieces) = _parts.Splitter.Split(text);
        foreach (var piece in pieces)
            _parts.Model.Encode(source.AsSpan(piece.Start, piece.Length), ids);
    }

    private static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
            return text;
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            result.Append(rune.ToString());
        return result.ToString();
    }
}
