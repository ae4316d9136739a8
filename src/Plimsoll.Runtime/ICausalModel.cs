namespace Plimsoll.Runtime;

/// <summary>A language model with one sequence in its memory: takes tokens, answers with the logits of what comes next.</summary>
/// <remarks>Not thread-safe: one caller at a time.</remarks>
public interface ICausalModel
{
    int VocabularySize { get; }

    /// <summary>The most tokens that the sequence can hold.</summary>
    int Context { get; }

    /// <summary>Tokens in the sequence: the position of the next one.</summary>
    int Position { get; }

    /// <summary>Appends tokens to the sequence.</summary>
    /// <param name="tokens">Any number that leaves the sequence within <see cref="Context"/>; the model cuts them into batches.</param>
    /// <param name="logits">
    /// (rows, vocabulary), the logits behind the last <c>rows</c> tokens: one row to generate, all of them to measure, none to fill the cache. A model spends
    /// nothing on logits that are not asked for.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A token is outside the vocabulary.</exception>
    /// <exception cref="ArgumentException">There are more tokens than room, or the logits are not whole rows, or more rows than tokens.</exception>
    void Forward(ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>Forgets the tokens from <paramref name="position"/> on; 0 begins a new sequence.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The position is not between 0 and <see cref="Position"/>.</exception>
    /// <exception cref="InvalidOperationException">A sliding window has already dropped tokens that would be visible again; only 0 is possible then.</exception>
    void Rewind(int position);
}
