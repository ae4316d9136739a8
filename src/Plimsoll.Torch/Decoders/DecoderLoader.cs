using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Models;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;
using Plimsoll.Torch.Adapters;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>From a checkpoint, or from the description of one, to a decoder.</summary>
/// <param name="type">What the tensors hold.</param>
internal sealed class DecoderLoader(DecoderCheckpoint checkpoint, ScalarType type, Device device)
{
    /// <summary>Weights decoded at once, in floats.</summary>
    private const long PieceElements = 1 << 22;

    private readonly TransformerSettings settings = checkpoint.Settings;

    /// <summary>Keeps the matrices of layers in NF4; one at a time is whole in memory while it is packed.</summary>
    public bool FourBit { get; init; }

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

    private LinearLayer Linear(WeightName name, int outputs, int inputs, bool endsBranch = false)
    {
        var bias = checkpoint.Has(name.Bias) ? Vector(name.Bias, outputs, 0) : null;
        if (!FourBit)
            return new PlainLinear(Matrix(name, outputs, inputs, endsBranch), bias);
        using var scope = NewDisposeScope();
        var values = Initialize ? Draw(outputs, inputs, endsBranch).cpu() : Read(checkpoint.Require(name, outputs, inputs), ScalarType.Float32, CPU);
        return new Nf4Linear(checkpoint.NameOf(name), new(values, device), bias, type);
    }

    private Weight? HeadNorm(WeightName name, int headDim, int width) => settings.QueryKeyNorm switch
    {
        QueryKeyNorm.None => null,
        QueryKeyNorm.SharedByHeads => Norm(name, headDim),
        _ => Norm(name, width),
    };

    private Weight Norm(WeightName name, int width) => Vector(name, width, 1 - checkpoint.NormOffset);

    private Weight Vector(WeightName name, int width, float initial) =>
        Own(name, Initialize ? full([width], initial, dtype: type, device: device) : Read(checkpoint.Require(name, width), type, device));

    private Weight Matrix(WeightName name, int rows, int columns, bool endsBranch = false) =>
        Own(name, Initialize ? Draw(rows, columns, endsBranch).to(type) : Read(checkpoint.Require(name, rows, columns), type, device));

    private Tensor Draw(int rows, int columns, bool endsBranch) =>
        randn(rows, columns, device: device).mul_(endsBranch ? 0.02 / Math.Sqrt(2.0 * settings.Layers.Length) : 0.02);

    private Weight Own(WeightName name, Tensor value) => new(checkpoint.NameOf(name), value.DetachFromDisposeScope());

    private static Tensor Read(StoredWeight weight, ScalarType type, Device device)
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
