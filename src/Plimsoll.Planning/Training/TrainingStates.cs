using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Training;

/// <summary>What is trained and what is kept for it: weights, master weights, gradients, optimizer states, per rank of a stage.</summary>
internal sealed class TrainingStates
{
    /// <summary>Elements of one reduce bucket. Source: DeepSpeed's reduce_bucket_size, 5e8.</summary>
    private const long BucketElements = 500_000_000;

    private readonly TrainingRequest request;
    private readonly Stage stage;
    private readonly ImmutableArray<WeightTensor> held;
    private readonly ImmutableArray<TensorShape> trained;
    private readonly int adapterBytes;

    public TrainingStates(TrainingRequest request, ImmutableArray<AdapterTarget> targets, Stage stage)
    {
        this.request = request;
        this.stage = stage;
        adapterBytes = ActivationModel.AdapterBytes(request);
        held = [.. request.Weights.Tensors.Where(tensor => Placement.IsOn(tensor.Shape, stage, request.Model))];
        trained = request.Method == TrainingMethod.Full
            ? [.. ActiveBlock([.. held.Select(tensor => tensor.Shape)])]
            : [.. AdapterTensors(targets).Where(tensor => Placement.IsOn(tensor, stage, request.Model))];
    }

    public Stage Stage => stage;

    private bool IsFull => request.Method == TrainingMethod.Full;

    private Sharding Sharding => request.Parallel.Shards > 1 ? request.Parallel.Sharding : Sharding.None;

    /// <summary>Bytes of one gradient element.</summary>
    public int GradientBytes => request.GradientBytes ?? (request.Optimizer.OneLayer ? 4 : IsFull ? request.ComputeBytes : adapterBytes);

    public int AdapterBytes => adapterBytes;

    public bool HasMaster => IsFull && (request.RoundsWeights || (request.MasterWeights && request.ComputeBytes < 4));

    /// <summary>Trained parameters of this rank before data-parallel sharding.</summary>
    public long TrainedElements => trained.Sum(tensor => ModelShare(tensor, tensor.Elements));

    /// <summary>Elements of the trained tensor that has most.</summary>
    public long LargestTensor => trained.Select(tensor => tensor.ElementsOfOne).DefaultIfEmpty(0).Max();

    /// <summary>Trained parameters of this rank under its sharding of states.</summary>
    public long Weights => held.Sum(tensor => Share(tensor.Shape, tensor.Bytes, Sharding.Weights));

    public long WeightsUnsharded => held.Sum(tensor => ModelShare(tensor.Shape, tensor.Bytes));

    /// <summary>What casting the unquantized 16-bit parameters of a quantized base to FP32 adds.</summary>
    public long Upcast => request.Method != TrainingMethod.Qlora || !(request.Trainer.Says("kbit_upcast", "yes") || (request.ComputeBytes == 4 && request.Trainer.Says("kbit_upcast", "fp32"))) ? 0
        : held.Where(tensor => tensor.Format is { BlockLength: 1, BlockBytes: 2 }).Sum(tensor => Share(tensor.Shape, tensor.Bytes, Sharding.Weights));

    public long Adapters => IsFull ? 0 : trained.Sum(tensor => Share(tensor, checked(adapterBytes * tensor.Elements), Sharding.Weights));

    public long Master => HasMaster ? trained.Sum(tensor => Share(tensor, checked(4 * tensor.Elements), Sharding.OptimizerStates)) : 0;

    public long Gradients => trained.Sum(tensor => Share(tensor, checked(GradientBytes * tensor.Elements), Sharding.Gradients));

    public long StateBytes(OptimizerState state) => trained.Sum(tensor => Share(tensor, state.BytesFor(tensor), Sharding.OptimizerStates));

    /// <summary>Gradients of the vocabulary matrices: alive first in the backward pass, and in chunked losses during the loss.</summary>
    public long HeadGradient => !stage.IsLast ? 0 : trained
        .Where(tensor => tensor.Role == (request.Model.TiedEmbeddings ? TensorRole.Embedding : TensorRole.OutputHead))
        .Sum(tensor => Share(tensor, checked(GradientBytes * tensor.Elements), Sharding.Gradients));

    /// <summary>Gradients of the layer that has most, before they are divided.</summary>
    public long LargestLayerGradients => LargestLayer(trained, tensor => checked(GradientBytes * tensor.Elements));

    /// <summary>The framework holds the whole model beside the shards.</summary>
    public bool KeepsWhole => Sharding == Sharding.Weights && request.Trainer.Says("load", "full");

    /// <summary>Layers gathered from all shards while they compute: the current one and the next, and the vocabulary matrices throughout.</summary>
    public long Gathered
    {
        get
        {
            if (Sharding != Sharding.Weights || KeepsWhole)
                return 0;
            var whole = held.Sum(tensor => ModelShare(tensor.Shape, ComputedBytes(tensor)));
            var layer = LargestLayer(held, tensor => tensor.Shape, ComputedBytes);
            var outside = held.Where(tensor => tensor.Shape.Layer is null).Select(tensor => ModelShare(tensor.Shape, ComputedBytes(tensor))).ToList();
            var gathered = request.Trainer.Says("vocabulary_gather", "apart")
                ? layer + Math.Max(layer, outside.DefaultIfEmpty(0).Max())
                : 2 * layer + outside.Sum();
            // Never more than what unsharded weights would add.
            return Math.Min(gathered, Math.Max(0, whole - Weights));
        }
    }

    /// <summary>Buffers in which gradients meet: DDP's buckets hold every gradient a second time, ZeRO's have a fixed size, FSDP's hold a layer.</summary>
    public long Buckets
    {
        get
        {
            var all = checked(GradientBytes * TrainedElements);
            if (request.Parallel.Data == 1)
                return 0;
            var bucket = Math.Min(all, checked(GradientBytes * BucketElements));
            return Sharding switch
            {
                Sharding.None => all,
                Sharding.Weights => Math.Min(bucket, LargestLayerGradients),
                _ => bucket,
            };
        }
    }

    /// <summary>In full training a gathered layer has the compute type; a frozen one is gathered as it is stored.</summary>
    private long ComputedBytes(WeightTensor tensor) => IsFull ? checked(request.ComputeBytes * tensor.Shape.Elements) : tensor.Bytes;

    private long Share(TensorShape tensor, long bytes, Sharding from)
    {
        if (Sharding < from)
            return ModelShare(tensor, bytes);
        // Experts that are dealt out among data-parallel ranks exist fewer times there.
        var data = tensor.Role == TensorRole.Expert && request.Parallel.Expert > request.Parallel.Tensor
            ? Math.Max(1, request.Parallel.Shards / request.Parallel.Expert)
            : request.Parallel.Shards;
        return Placement.DivideUp(bytes, checked(ModelShards(tensor) * data));
    }

    private long ModelShare(TensorShape tensor, long bytes) => Placement.DivideUp(bytes, ModelShards(tensor));

    private int ModelShards(TensorShape tensor) => tensor.Role switch
    {
        TensorRole.Expert => Math.Max(request.Parallel.Expert, request.Parallel.Tensor),
        TensorRole.Norm or TensorRole.Router or TensorRole.Tower or TensorRole.PositionEmbedding => 1,
        TensorRole.Attention when request.Model.Layers.ElementAtOrDefault(tensor.Layer ?? -1)?.Attention is { } attention && Placement.IsKeyOrValue(tensor, attention) =>
            Math.Min(request.Parallel.Tensor, attention.KeyValueHeads),
        _ => request.Parallel.Tensor,
    };

    private long LargestLayer(IEnumerable<TensorShape> tensors, Func<TensorShape, long> bytes) => LargestLayer(tensors, tensor => tensor, bytes);

    private long LargestLayer<T>(IEnumerable<T> tensors, Func<T, TensorShape> shape, Func<T, long> bytes) => tensors
        .Where(tensor => shape(tensor).Layer is not null)
        .GroupBy(tensor => shape(tensor).Layer)
        .Select(layer => layer.Sum(tensor => ModelShare(shape(tensor), bytes(tensor))))
        .DefaultIfEmpty(0)
        .Max();

    /// <summary>All tensors; with BAdam those of the largest layer only.</summary>
    private IEnumerable<TensorShape> ActiveBlock(ImmutableArray<TensorShape> tensors) => !request.Optimizer.OneLayer
        ? tensors
        : tensors.Where(tensor => tensor.Layer is not null).GroupBy(tensor => tensor.Layer).MaxBy(layer => layer.Sum(tensor => tensor.Elements)) ?? Enumerable.Empty<TensorShape>();

    /// <summary>A of (rank, in), B of (out, rank) and, with DoRA, a vector of out: as the optimizer sees them.</summary>
    private IEnumerable<TensorShape> AdapterTensors(ImmutableArray<AdapterTarget> targets)
    {
        var adapter = request.Adapter!;
        if (adapter.Parameters is { } parameters)
        {
            // Another kind of adapter: its parameters spread evenly over the layers.
            var layers = request.Model.Layers.Length;
            foreach (var layer in Enumerable.Range(0, layers))
                yield return new() { Name = "adapter", Dimensions = [parameters / layers + (layer < parameters % layers ? 1 : 0)], Role = TensorRole.Other, Layer = layer };
            yield break;
        }
        foreach (var target in targets)
        {
            var (name, role) = (target.Tensor.Name, target.Tensor.Role == TensorRole.Expert ? TensorRole.Expert : TensorRole.Other);
            var count = checked((int)target.Count);
            yield return new() { Name = name + ".lora_A", Dimensions = [adapter.Rank, target.In], Role = role, Layer = target.Tensor.Layer, Count = count, IsLinear = true };
            yield return new() { Name = name + ".lora_B", Dimensions = [target.Out, adapter.Rank], Role = role, Layer = target.Tensor.Layer, Count = count, IsLinear = true };
            if (adapter.Dora)
                yield return new() { Name = name + ".magnitude", Dimensions = [target.Out], Role = role, Layer = target.Tensor.Layer, Count = count };
        }
    }
}
