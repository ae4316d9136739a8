using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Models;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>From a checkpoint, or from the description of one, to a decoder.</summary>
/// <param name="type">What the tensors hold.</param>
internal sealed class DecoderLoader(DecoderCheckpoint checkpoint, ScalarType type, Device device)
{
    /// <summary>Weights decoded at once, in floats.</summary>
    private const long PieceElements = 1 << 22;

    private readonly TransformerSettings settings = checkpoint.Settings;

    /// <summary>Draws weights where the checkpoint has none: normal with a deviation of 0.02, divided by sqrt(2 · layers) where a branch ends (GPT-2's scheme).</summary>
    public bool Initialize { get; init; }

    /// <exception cref="UnknownArchitectureException">The architecture has parts that are not trained here.</exception>
    /// <exception cref="Checkpoints.CheckpointFormatException">A tensor is missing or has another shape.</exception>
    public Decoder Load()
    {
        CheckParts();
        using var scope = NewDisposeScope();
        var (hidden, vocabulary) = (settings.HiddenSize, settings.VocabularySize);
        var embedding = Matrix(new(null, "token_embd"), vocabulary, hidden);
        var head = new WeightName(null, "output");
        return new(
            settings,
            embedding,
            [.. settings.Layers.Select(LoadLayer)],
            Norm(new(null, "output_norm"), hidden),
            checkpoint.Has(head) ? new PlainLinear(Matrix(head, vocabulary, hidden), null) : new PlainLinear(embedding, null),
            checkpoint.NormOffset);
    }

    private void CheckParts()
    {
        var reason = settings switch
        {
            { Norm: not NormKind.RootMeanSquare } => "norms that subtract the mean",
            { Gated: false } => "a feed-forward part without a gate",
            { LearnedPositions: true } => "learned positions",
            { Residual: not Residual.Sequential } => "parallel branches",
            { QueryKeyNorm: QueryKeyNorm.PerHead } => "norms of each head",
            _ when settings.Layers.Any(layer => layer.Experts is not null) => "experts",
            _ when checkpoint.Has(new(0, "attn_qkv")) || !checkpoint.Has(new(0, "ffn_gate")) => "fused projections",
            _ => null,
        };
        if (reason is not null)
            throw new UnknownArchitectureException(settings.Architecture, $"it has {reason}, which is not trained here; the Llama family is: llama, mistral, qwen2, qwen3, smollm3, gemma, gemma2, gemma3_text, olmo2, granite", null);
    }

    private DecoderLayer LoadLayer(LayerSettings layer, int index)
    {
        var hidden = settings.HiddenSize;
        var before = settings.NormPlacement != NormPlacement.After;
        var after = settings.NormPlacement != NormPlacement.Before;
        return new()
        {
            AttentionNorm = before ? Norm(new(index, "attn_norm"), hidden) : null,
            Query = Linear(new(index, "attn_q"), layer.QueryWidth, hidden),
            Key = Linear(new(index, "attn_k"), layer.KeyValueWidth, hidden),
            Value = Linear(new(index, "attn_v"), layer.KeyValueWidth, hidden),
            QueryNorm = HeadNorm(new(index, "attn_q_norm"), layer.HeadDim, layer.QueryWidth),
            KeyNorm = HeadNorm(new(index, "attn_k_norm"), layer.HeadDim, layer.KeyValueWidth),
            Output = Linear(new(index, "attn_output"), hidden, layer.QueryWidth, endsBranch: true),
            AttentionOutputNorm = after ? Norm(new(index, "post_attention_norm"), hidden) : null,
            FeedForwardNorm = before ? Norm(new(index, "ffn_norm"), hidden) : null,
            Gate = Linear(new(index, "ffn_gate"), layer.FeedForward, hidden),
            Up = Linear(new(index, "ffn_up"), layer.FeedForward, hidden),
            Down = Linear(new(index, "ffn_down"), hidden, layer.FeedForward, endsBranch: true),
            FeedForwardOutputNorm = after ? Norm(new(index, "post_ffw_norm"), hidden) : null,
        };
    }

    private PlainLinear Linear(WeightName name, int outputs, int inputs, bool endsBranch = false) =>
        new(Matrix(name, outputs, inputs, endsBranch), checkpoint.Has(name.Bias) ? Vector(name.Bias, outputs, 0) : null);

    private Weight? HeadNorm(WeightName name, int headDim, int width) => settings.QueryKeyNorm switch
    {
        QueryKeyNorm.None => null,
        QueryKeyNorm.SharedByHeads => Norm(name, headDim),
        _ => Norm(name, width),
    };

    private Weight Norm(WeightName name, int width) => Vector(name, width, 1 - checkpoint.NormOffset);

    private Weight Vector(WeightName name, int width, float initial) =>
        Initialize ? Own(name, full([width], initial, dtype: type, device: device)) : Own(name, Read(checkpoint.Require(name, width)));

    private Weight Matrix(WeightName name, int rows, int columns, bool endsBranch = false)
    {
        if (!Initialize)
            return Own(name, Read(checkpoint.Require(name, rows, columns)));
        var deviation = endsBranch ? 0.02 / Math.Sqrt(2.0 * settings.Layers.Length) : 0.02;
        return Own(name, (randn(rows, columns, device: device) * deviation).to(type));
    }

    private Weight Own(WeightName name, Tensor value) => new(checkpoint.NameOf(name), value.DetachFromDisposeScope());

    private Tensor Read(StoredWeight weight)
    {
        var result = empty([.. weight.Dimensions], dtype: type, device: device);
        var rows = Math.Clamp(PieceElements / weight.RowLength, 1, weight.Rows);
        var flat = result.view(weight.Rows, weight.RowLength);
        for (var row = 0L; row < weight.Rows; row += rows)
        {
            using var scope = NewDisposeScope();
            var piece = empty([Math.Min(rows, weight.Rows - row), weight.RowLength], dtype: ScalarType.Float32);
            weight.ReadRows(row, MemoryMarshal.Cast<byte, float>(piece.bytes));
            flat.narrow(0, row, piece.shape[0]).copy_(piece);
        }
        return result;
    }
}
