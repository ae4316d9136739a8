using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Engines;

/// <summary>The share of a model that one device carries.</summary>
/// <param name="Index">The pipeline stage.</param>
/// <param name="FirstLayer">First decoder layer of the stage.</param>
/// <param name="LayerCount">Layers of the stage.</param>
/// <param name="IsFirst">Carries the embedding.</param>
/// <param name="IsLast">Carries the final norm and the output head.</param>
internal sealed record Stage(int Index, int FirstLayer, int LayerCount, bool IsFirst, bool IsLast)
{
    public IEnumerable<LayerShape> LayersOf(ModelShape model) => model.Layers.Skip(FirstLayer).Take(LayerCount);

    public bool HasLayer(int layer) => layer >= FirstLayer && layer < FirstLayer + LayerCount;
}

/// <summary>Deals layers out to devices and says what each tensor costs there.</summary>
internal static class Placement
{
    /// <summary>Contiguous stages of nearly equal layer counts, larger ones first.</summary>
    public static ImmutableArray<Stage> Stages(int layers, int count)
    {
        var stages = ImmutableArray.CreateBuilder<Stage>(count);
        var first = 0;
        for (var i = 0; i < count; i++)
        {
            var take = layers / count + (i < layers % count ? 1 : 0);
            stages.Add(new(i, first, take, i == 0, i == count - 1));
            first += take;
        }
        return stages.MoveToImmutable();
    }

    /// <summary>Bytes of the weights that one rank of <paramref name="stage"/> holds under tensor and expert parallelism.</summary>
    public static long WeightBytes(InferenceRequest request, Stage stage) =>
        request.Weights.Tensors.Where(tensor => IsOn(tensor.Shape, stage, request.Model)).Sum(tensor => Share(tensor, request));

    /// <remarks>Next-token-prediction layers are in the checkpoint, but engines load them only to draft with them.</remarks>
    internal static bool IsOn(TensorShape tensor, Stage stage, ModelShape model) => tensor switch
    {
        { Role: TensorRole.NextToken } => false,
        { Layer: { } layer } when layer < model.Layers.Length => stage.HasLayer(layer),
        { Role: TensorRole.OutputHead } => stage.IsLast,
        { Role: TensorRole.Embedding } => stage.IsFirst || (stage.IsLast && model.TiedEmbeddings),
        { Role: TensorRole.PositionEmbedding or TensorRole.Tower } => stage.IsFirst,
        _ => stage.IsLast,
    };

    private static long Share(WeightTensor tensor, InferenceRequest request)
    {
        var parallel = request.Parallel;
        switch (tensor.Shape.Role)
        {
            case TensorRole.Expert:
                var expertShards = Math.Max(parallel.Expert, parallel.Tensor);
                return DivideUp(tensor.Bytes, Math.Min(expertShards, Math.Max(tensor.Shape.Count, parallel.Tensor)));
            // Norms and routers are small and replicated; towers usually run data-parallel; a vector (bias) is divided with its matrix.
            case TensorRole.Norm or TensorRole.Router or TensorRole.Tower or TensorRole.PositionEmbedding:
                return tensor.Bytes;
            case TensorRole.Embedding or TensorRole.OutputHead when request.Engine.Says("vocabulary_parallel", "no"):
                return tensor.Bytes;
            case TensorRole.Attention when request.Model.Layers.ElementAtOrDefault(tensor.Shape.Layer ?? -1)?.Attention is { } attention && IsKeyOrValue(tensor.Shape, attention):
                return DivideUp(tensor.Bytes, Math.Min(parallel.Tensor, attention.KeyValueHeads));
            default:
                return DivideUp(tensor.Bytes, parallel.Tensor);
        }
    }

    /// <summary>Key and value projections are replicated once there are fewer KV heads than ranks.</summary>
    internal static bool IsKeyOrValue(TensorShape tensor, AttentionShape attention) =>
        attention.Latent is null
        && attention.KeyValueHeads < attention.Heads
        && (tensor.Dimensions[0] == (long)attention.KeyValueHeads * attention.KeyHeadDim || tensor.Dimensions[0] == (long)attention.KeyValueHeads * attention.ValueHeadDim);

    internal static long DivideUp(long bytes, int shards) => (bytes + shards - 1) / shards;
}
