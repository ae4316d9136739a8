using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Runtime;

/// <summary>A decoder with its weights in memory at their packed size. Sessions share them.</summary>
public sealed class TransformerModel : IDisposable
{
    private TransformerModel(TransformerSettings settings, TransformerWeights weights, ComputePool pool) => (Settings, Weights, Pool) = (settings, weights, pool);

    public TransformerSettings Settings { get; }

    /// <summary>Bytes that the weights occupy in memory.</summary>
    public long WeightBytes => Weights.Matrices.Sum(matrix => matrix.Bytes);

    internal TransformerWeights Weights { get; }

    internal ComputePool Pool { get; }

    /// <summary>Loads a GGUF file or a Hugging Face folder.</summary>
    /// <param name="pool">The threads that work; null for the caller alone.</param>
    /// <exception cref="UnknownArchitectureException">The architecture cannot be run.</exception>
    /// <exception cref="CheckpointFormatException">A file is broken, a tensor is missing or has another shape than the configuration says.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TransformerModel Load(string path, ComputePool? pool = null) => Load(ModelLocator.FromPath(path), pool);

    /// <inheritdoc cref="Load(string, ComputePool)"/>
    public static TransformerModel Load(LocatedModel model, ComputePool? pool = null)
    {
        var checkpoint = DecoderCheckpoint.Open(model);
        try
        {
            return new(checkpoint.Settings, new WeightLoader(checkpoint).Load(), pool ?? ComputePool.Single);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>A new sequence over these weights.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The options cannot be met.</exception>
    public TransformerSession CreateSession(SessionOptions options) => new(this, options);

    /// <summary>Multiplies with other matrices in place of those of a stored tensor, until the result is disposed. Not while a session runs.</summary>
    /// <param name="tensor">The weight as the checkpoint names it.</param>
    /// <param name="substitute">Makes a matrix of the same shape from the own one and its number in a stack of experts; it is disposed with the result.</param>
    public IDisposable Substitute(string tensor, Func<PackedMatrix, int, PackedMatrix> substitute) => new Substitution(Weights.Linears.Where(linear => linear.Name == tensor), substitute);

    public void Dispose() => Weights.Dispose();
}
