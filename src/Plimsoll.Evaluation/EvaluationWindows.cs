namespace Plimsoll.Evaluation;

/// <summary>A text cut into windows of equal length, of which the second half is scored.</summary>
/// <remarks>
/// The convention of llama.cpp (tools/perplexity/perplexity.cpp, v0.5.0): windows follow each other without overlap; the rest behind the last whole one is left
/// out; the first token of each is replaced by <c>bos</c> where the model wants one; tokens from position ⌊n / 2⌋ + 1 on are predicted, so that every
/// prediction has at least half a window before it.
/// </remarks>
public sealed class EvaluationWindows
{
    private readonly int[] _tokens;

    /// <param name="tokens">The whole text.</param>
    /// <param name="context">Tokens of a window, at least 4.</param>
    /// <param name="limit">The most windows to use; null for all that the text fills.</param>
    /// <param name="bos">Replaces the first token of each window; null for models that want none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The context is below 4, or the limit below 1.</exception>
    /// <exception cref="ArgumentException">The text does not fill one window.</exception>
    public EvaluationWindows(ReadOnlySpan<int> tokens, int context, int? limit = null, int? bos = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 4);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit ?? 1, 1, nameof(limit));
        if (tokens.Length < context)
            throw new ArgumentException($"{tokens.Length} tokens do not fill a window of {context}", nameof(tokens));
        Context = context;
        Count = Math.Min(tokens.Length / context, limit ?? int.MaxValue);
        Bos = bos;
        _tokens = tokens[..(Count * context)].ToArray();
    }

    /// <summary>Tokens of a window.</summary>
    public int Context { get; }

    /// <summary>Windows.</summary>
    public int Count { get; }

    public int? Bos { get; }

    /// <summary>The position in a window behind which the first prediction is scored.</summary>
    public int First => Context / 2;

    /// <summary>Predictions that are scored in each window.</summary>
    public int Scored => Context - 1 - First;

    /// <summary>The text that the windows cover, without the replaced first tokens.</summary>
    public ReadOnlySpan<int> Tokens => _tokens;

    /// <summary>Fills <paramref name="input"/> with what the model sees of a window.</summary>
    public void Read(int window, Span<int> input)
    {
        _tokens.AsSpan(window * Context, Context).CopyTo(input);
        if (Bos is { } bos)
            input[0] = bos;
    }
}
