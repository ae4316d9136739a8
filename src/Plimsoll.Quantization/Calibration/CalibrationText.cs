using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Calibration;

/// <summary>The tokens that a model is calibrated with, in chunks of equal length that know nothing of each other.</summary>
/// <remarks>
/// As llama.cpp v0.5.0 (tools/imatrix/imatrix.cpp) cuts a text: one chunk behind the other, the rest behind the last whole one left out, the first token of each
/// replaced by the one that begins sequences where the model wants one.
/// </remarks>
/// <param name="Name">The file that the text came from, or what else it is.</param>
/// <param name="Tokens">Whole chunks.</param>
/// <param name="Context">Tokens of a chunk.</param>
/// <param name="Bos">The token that begins sequences; null for models that want none.</param>
public sealed record CalibrationText(string Name, ReadOnlyMemory<int> Tokens, int Context, int? Bos)
{
    /// <summary>Tells one text from another: SHA-256 of its tokens and how they are cut.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData([.. MemoryMarshal.AsBytes(Tokens.Span), .. BitConverter.GetBytes(Context), .. BitConverter.GetBytes(Bos ?? -1)]));

    public int Chunks => Tokens.Length / Context;

    /// <summary>The first chunks, at least one.</summary>
    public CalibrationText Take(int chunks) => this with { Tokens = Tokens[..(Math.Clamp(chunks, 1, Chunks) * Context)] };

    /// <summary>The text without a tenth at its end, and that tenth, at least one chunk; twice the whole where there is only one.</summary>
    public (CalibrationText First, CalibrationText Last) Split()
    {
        if (Chunks == 1)
            return (this, this);
        var last = Math.Max(1, Chunks / 10);
        return (Take(Chunks - last), this with { Tokens = Tokens[((Chunks - last) * Context)..] });
    }

    /// <summary>What the model sees of a chunk.</summary>
    /// <param name="tokens">(context).</param>
    public void ReadChunk(int index, Span<int> tokens)
    {
        Tokens.Span.Slice(index * Context, Context).CopyTo(tokens);
        if (Bos is { } bos)
            tokens[0] = bos;
    }

    /// <summary>Runs the model over all chunks; the observer of its session sees the inputs.</summary>
    /// <param name="withHead">Whether the output head is run too, which costs a product with the whole vocabulary.</param>
    /// <param name="progress">Called with the number of chunks done.</param>
    /// <exception cref="OperationCanceledException">It was cancelled between two chunks.</exception>
    public void Run(ICausalModel model, bool withHead, Action<int> progress, CancellationToken cancellation)
    {
        var chunk = new int[Context];
        var logits = new float[withHead ? checked(Context * model.VocabularySize) : 0];
        for (var index = 0; index < Chunks; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadChunk(index, chunk);
            model.Rewind(0);
            model.Forward(chunk, logits);
            progress(index + 1);
        }
    }
}
