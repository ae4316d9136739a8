using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>How a merging model begins, and what it does with symbols that are no token.</summary>
internal sealed record MergeOptions
{
    /// <summary>Symbols are the bytes of the text in GPT-2's alphabet; otherwise its characters.</summary>
    public required bool IsByteLevel { get; init; }

    /// <summary>Pieces come in that alphabet already.</summary>
    public bool IsAlphabet { get; init; }

    /// <summary>A piece that is a token is not built by merges.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>A piece of nothing but line feeds that is a token is taken whole (Gemma 4).</summary>
    public bool TakesNewLines { get; init; }

    /// <summary>By byte: the tokens that stand for the bytes of an unknown character; empty where there are none.</summary>
    public int[] ByteTokens { get; init; } = [];

    /// <summary>The token of an unknown character; −1 to leave it out.</summary>
    public int Unknown { get; init; } = -1;

    /// <summary>Unknown characters in a row give one token.</summary>
    public bool FusesUnknown { get; init; }
}

/// <summary>Byte pair encoding: joins neighbouring symbols, best first and leftmost among equals, until nothing can be joined.</summary>
/// <remarks>A queue of candidates makes it O(n log n), so that a megabyte without spaces takes no longer per byte than a word.</remarks>
internal sealed class MergeModel(MergeRules rules, TokenIndex index, MergeOptions options) : ITextModel
{
    [ThreadStatic]
    private static Workspace? s_workspace;

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        var work = s_workspace ??= new();
        var text = options.IsByteLevel && !options.IsAlphabet ? work.ToAlphabet(piece) : piece;
        if ((options.IgnoresMerges || options.TakesNewLines && piece.IndexOfAnyExcept('\n') < 0) && index.Find(text) is >= 0 and var whole)
        {
            ids.Add(whole);
            return;
        }
        work.Begin(text, index, options.IsByteLevel);
        for (var left = 0; left + 1 < work.Count; left++)
            Propose(work, text, left, left + 1);
        while (work.Queue.TryDequeue(out var candidate, out _))
            Join(work, text, candidate);
        Collect(work, text, ids);
    }

    private void Propose(Workspace work, ReadOnlySpan<char> text, int left, int right)
    {
        if (left < 0 || right < 0)
            return;
        ref var a = ref work.Symbols[left];
        ref var b = ref work.Symbols[right];
        var length = a.Length + b.Length;
        if (rules.TryJoin(a.Id, b.Id, text.Slice(a.Start, length), out var order, out var id))
            work.Queue.Enqueue(new(left, right, length, id), (long)order << 32 | (uint)left);
    }

    private void Join(Workspace work, ReadOnlySpan<char> text, Candidate candidate)
    {
        ref var left = ref work.Symbols[candidate.Left];
        ref var right = ref work.Symbols[candidate.Right];
        // Symbols only grow or vanish, so the length tells whether these are still the two that were proposed.
        if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != candidate.Length)
            return;
        left.Length = candidate.Length;
        left.Id = candidate.Id;
        left.Next = right.Next;
        right.Length = 0;
        if (right.Next >= 0)
            work.Symbols[right.Next].Previous = candidate.Left;
        Propose(work, text, left.Previous, candidate.Left);
        Propose(work, text, candidate.Left, left.Next);
    }

    private void Collect(Workspace work, ReadOnlySpan<char> text, List<int> ids)
    {
        var wasUnknown = false;
        for (var at = work.Count == 0 ? -1 : 0; at >= 0; at = work.Symbols[at].Next)
        {
            ref var symbol = ref work.Symbols[at];
            var isKnown = symbol.Id >= 0 || TryAddBytes(text.Slice(symbol.Start, symbol.Length), ids);
            if (symbol.Id >= 0)
                ids.Add(symbol.Id);
            else if (!isKnown && options.Unknown >= 0 && !(wasUnknown && options.FusesUnknown))
                ids.Add(options.Unknown);
            wasUnknown = !isKnown;
        }
    }

    private bool TryAddBytes(ReadOnlySpan<char> text, List<int> ids)
    {
        if (options.ByteTokens.Length == 0)
            return false;
        Span<byte> buffer = stackalloc byte[4];
        var first = ids.Count;
        foreach (var rune in text.EnumerateRunes())
        {
            foreach (var value in buffer[..rune.EncodeToUtf8(buffer)])
            {
                if (options.ByteTokens[value] < 0)
                {
                    ids.RemoveRange(first, ids.Count - first);
                    return false;
                }
                ids.Add(options.ByteTokens[value]);
            }
        }
        return true;
    }

    private readonly record struct Candidate(int Left, int Right, int Length, int Id);

    private struct Symbol
    {
        public int Start;
        public int Length;
        public int Previous;
        public int Next;
        public int Id;
    }

    /// <summary>What one thread needs to merge, kept from word to word.</summary>
    private sealed class Workspace
    {
        private char[] _alphabet = new char[256];

        public Symbol[] Symbols { get; private set; } = new Symbol[256];

        public PriorityQueue<Candidate, long> Queue { get; } = new();

        public int Count { get; private set; }

        public ReadOnlySpan<char> ToAlphabet(ReadOnlySpan<char> piece)
        {
            if (_alphabet.Length < piece.Length * 3)
                _alphabet = new char[piece.Length * 4];
            Span<byte> buffer = stackalloc byte[4];
            var length = 0;
            foreach (var rune in piece.EnumerateRunes())
            {
                foreach (var value in buffer[..rune.EncodeToUtf8(buffer)])
                    _alphabet[length++] = ByteAlphabet.ToCharacter(value);
            }
            return _alphabet.AsSpan(0, length);
        }

        public void Begin(ReadOnlySpan<char> text, TokenIndex index, bool isByteLevel)
        {
            Count = 0;
            Queue.Clear();
            if (Symbols.Length < text.Length)
                Symbols = new Symbol[text.Length * 2];
            for (var at = 0; at < text.Length;)
            {
                var length = 1;
                if (!isByteLevel)
                    Rune.DecodeFromUtf16(text[at..], out _, out length);
                Symbols[Count] = new() { Start = at, Length = length, Previous = Count - 1, Next = Count + 1, Id = index.Find(text.Slice(at, length)) };
                Count++;
                at += length;
            }
            if (Count > 0)
                Symbols[Count - 1].Next = -1;
        }
    }
}
