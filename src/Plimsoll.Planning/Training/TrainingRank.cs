using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Training;

/// <summary>The phases of one rank of one pipeline stage.</summary>
internal sealed class TrainingRank(TrainingRequest request, TrainingStates states, ActivationModel activations)
{
    /// <summary>Of one token and word: FP32 log-probabilities of the original, probabilities, and two products.</summary>
    private const double DistillationBytes = 16;

    private const string StateSource = "one value per trained parameter; ZeRO (1910.02054) section 3";
    private const string ActivationSource = "derivative formulas of PyTorch applied to the shapes of the layer; six measured models within 3 % (docs/formulas/training-memory.md)";

    /// <summary>Numbers of six pieces of 2²⁰ moments each (src/Plimsoll.Torch/Optimizers/AdamW8Bit.cs).</summary>
    private const long DecodedPiece = 6 << 20;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    private readonly ImmutableArray<LayerActivations> layers = [.. activations.Layers.Skip(states.Stage.FirstLayer).Take(states.Stage.LayerCount)];

    private bool IsHost => request.Trainer.Says("device", "host");

    private bool OffloadsStates => request.Offload.HasFlag(TrainingOffload.Optimizer) || request.Optimizer.Place == StatePlace.Host;

    private bool OffloadsGradients => request.Offload.HasFlag(TrainingOffload.Optimizer);

    private bool OffloadsWeights => request.Offload.HasFlag(TrainingOffload.Weights);

    private bool Accumulates => (request.Accumulation > 1 || request.Parallel.Pipeline > 1) && !request.StepsInBackward && !OffloadsGradients;

    public ImmutableArray<PlanPhase> Phases()
    {
        var moments = new[] { AtTheLoss(), AfterLoss(), AtTheEnd() };
        return
        [
            new("load", [.. LoadLines(), .. DriverLines()]),
            Complete("forward", [.. Persistent(), .. Gradients(Accumulates ? states.Gradients : 0, "all, kept between micro-batches"), .. ForwardLines()]),
            Complete("backward", moments.MaxBy(lines => lines.Sum(line => line.Bytes.Expected))),
            Complete("optimizer step", [.. Persistent(), .. StepGradients(), .. StepCopies()]),
        ];
    }

    /// <summary>What this rank keeps in ordinary memory.</summary>
    public IEnumerable<PlanLine> HostLines()
    {
        if (OffloadsWeights)
            yield return new(PlanCategory.Weights, "weights", ByteRange.Exactly(states.Weights), "shards of the weights", "ZeRO-Infinity, FSDP CPUOffload", MemoryPlace.Host);
        if (OffloadsStates || request.Optimizer.Place == StatePlace.Paged)
        {
            foreach (var line in StateLines().Concat(OffloadsStates ? MasterLines() : []))
                yield return line with { Place = MemoryPlace.Host };
        }
        if (OffloadsGradients)
            yield return Gradient(states.Gradients, "moved to the host as they are ready") with { Place = MemoryPlace.Host };
        if (request.Offload.HasFlag(TrainingOffload.Activations))
            yield return SavedLine(SavedBytes() * InFlight, "saved activations") with { Place = MemoryPlace.Host };
    }

    private PlanPhase Complete(string name, ImmutableArray<PlanLine> lines)
    {
        var changing = lines.Where(line => line.Category == PlanCategory.Activations).Sum(line => line.Bytes.Expected);
        var (expected, high) = (request.Trainer.Number("reserve") / 100, request.Trainer.Number("reserve_high") / 100);
        var reserve = new PlanLine(PlanCategory.Overhead, "allocator reserve", new(0, (long)(changing * expected), (long)(changing * high)),
            string.Create(Culture, $"{expected:P0} of the activations ({new ByteSize(changing)}), up to {high:P0}"), request.Trainer.Source("reserve"), MemoryPlace.Driver);
        return new(name, [.. lines, request.Trainer.Line(PlanCategory.Overhead, "workspaces", "workspace"), reserve, .. DriverLines()]);
    }

    private IEnumerable<PlanLine> DriverLines()
    {
        yield return request.Trainer.Line(PlanCategory.Overhead, IsHost ? "process and libraries" : "CUDA context", "cuda_context", MemoryPlace.Driver);
        if (request.Parallel.Devices > 1)
            yield return request.Trainer.Line(PlanCategory.Overhead, "collectives", "collectives", MemoryPlace.Driver);
    }

    private IEnumerable<PlanLine> LoadLines()
    {
        foreach (var line in WeightLines().Concat(AdapterLines()))
            yield return line;
        if (!IsHost)
            yield return request.Trainer.Line(PlanCategory.Overhead, "workspaces", "workspace");
    }

    /// <summary>Weights, master weights and optimizer states: there from the first step on. Sharded weights are gathered for each layer.</summary>
    private IEnumerable<PlanLine> Persistent() =>
        [.. WeightLines(), .. AdapterLines(), .. OffloadsStates ? [] : MasterLines(), .. OffloadsStates || request.Optimizer.Place == StatePlace.Paged ? [] : StateLines()];

    private IEnumerable<PlanLine> WeightLines()
    {
        if (!OffloadsWeights)
            yield return WeightLine();
        if (request.Distills)
            yield return new(PlanCategory.Weights, "weights of the original", ByteRange.Exactly(states.WeightsUnsharded), "every weight a second time, as it was", "its predictions are learnt");
        if (!OffloadsWeights && states.Upcast is > 0 and var upcast)
            yield return new(PlanCategory.Weights, "unquantized weights in FP32", ByteRange.Exactly(upcast), "2 B more for each parameter that is not quantized", request.Trainer.Source("kbit_upcast"));
        if (states.KeepsWhole)
            yield return new(PlanCategory.Weights, "whole model beside the shards", ByteRange.Around(states.WeightsUnsharded, 0.85, 1.1), "every weight of the rank's stage", request.Trainer.Source("load"));
    }

    private PlanLine WeightLine() => new(PlanCategory.Weights, "weights", ByteRange.Exactly(states.Weights),
        string.Create(Culture, $"{request.Model.Parameters:N0} parameters x {request.Weights.BitsPerWeight:0.####} bits ({request.Weights.Precision}){Divided(Sharding.Weights)}"),
        $"sum over {request.Weights.Tensors.Length} tensors ({request.Model.Source})");

    private IEnumerable<PlanLine> AdapterLines()
    {
        if (request.Method != TrainingMethod.Full)
            yield return new(PlanCategory.Weights, "adapters", ByteRange.Exactly(states.Adapters), string.Create(Culture, $"{states.TrainedElements:N0} parameters x {states.AdapterBytes} B{Divided(Sharding.Weights)}"), "rank x (inputs + outputs) over the target modules; PEFT keeps adapters in FP32");
    }

    private IEnumerable<PlanLine> MasterLines()
    {
        if (states.HasMaster)
            yield return new(PlanCategory.Optimizer, "master weights", ByteRange.Exactly(states.Master), string.Create(Culture, $"{states.TrainedElements:N0} parameters x 4 B{Divided(Sharding.OptimizerStates)}"), "FP32 copies that the optimizer updates; ZeRO (1910.02054) section 3.1");
    }

    private IEnumerable<PlanLine> StateLines() => request.Optimizer.States.Select(state =>
    {
        var bytes = states.StateBytes(state);
        var each = states.TrainedElements == 0 ? 0 : (double)bytes / states.TrainedElements;
        return new PlanLine(PlanCategory.Optimizer, state.Name, ByteRange.Exactly(bytes), string.Create(Culture, $"{states.TrainedElements:N0} parameters, {each:0.####} B each{Divided(Sharding.OptimizerStates)}"), request.Optimizer.Source);
    });

    private ImmutableArray<PlanLine> ForwardLines()
    {
        var lines = ImmutableArray.CreateBuilder<PlanLine>();
        lines.Add(DeviceSaved());
        var layer = LayerLine(forward: true);
        if (states.Stage.IsLast && LossLine() is var loss && loss.Bytes.Expected >= layer.Bytes.Expected)
        {
            lines.Add(loss);
            if (request.Loss != LossKind.Plain && !Accumulates && states.HeadGradient > 0)
                lines.Add(Gradient(states.HeadGradient, "of the output head, which these losses compute in the forward pass"));
        }
        else
        {
            lines.Add(layer);
        }
        lines.AddRange(GatheredLines());
        return lines.ToImmutable();
    }

    /// <summary>The loss runs backward: everything saved is alive, and what the loss leaves; the step's first gradient is still to come.</summary>
    private ImmutableArray<PlanLine> AtTheLoss() =>
        [.. Persistent(), .. Gradients(Accumulates ? states.Gradients : 0, "all, kept between micro-batches"), DeviceSaved(), .. LossGradientLines()];

    /// <summary>Right behind the loss: everything saved is alive, the last layer runs backward.</summary>
    private ImmutableArray<PlanLine> AfterLoss()
    {
        var gradients = Accumulates ? states.Gradients : Math.Min(states.Gradients, states.HeadGradient + states.LargestLayerGradients);
        return [.. Persistent(), .. Gradients(gradients, Accumulates ? "all, kept between micro-batches" : "of the head and one layer, when the last layer runs backward"), DeviceSaved(), LayerLine(forward: false), .. GatheredLines(), .. BucketLines()];
    }

    /// <summary>At the first layer: all gradients exist, the activations of the other layers are gone.</summary>
    private ImmutableArray<PlanLine> AtTheEnd()
    {
        var gradients = OffloadsGradients || request.StepsInBackward ? Math.Min(states.Gradients, states.LargestLayerGradients) : states.Gradients;
        var how = OffloadsGradients || request.StepsInBackward ? "of one layer, freed as soon as they are used" : "all, when the first layer runs backward";
        var waiting = InFlight > 1 ? SavedBytes() * (InFlight - 1) : 0;
        ImmutableArray<PlanLine> others = waiting > 0 ? [SavedLine(waiting, "micro-batches in flight")] : [];
        return [.. Persistent(), .. Gradients(gradients, how), .. others, LayerLine(forward: false), .. GatheredLines(), .. BucketLines()];
    }

    /// <summary>What the loss leaves for its backward pass, where that is not the same peak as the loss itself.</summary>
    private IEnumerable<PlanLine> LossGradientLines()
    {
        var each = request.Trainer.Number("loss_backward_bytes");
        if (each > 0 && states.Stage.IsLast && request.Loss == LossKind.Plain)
            yield return new(PlanCategory.Activations, "logits and loss", ByteRange.Around((double)request.Tokens * request.Model.VocabularySize * each, 0.9, 1.1), string.Create(Culture, $"{request.Tokens:N0} tokens x {request.Model.VocabularySize:N0} values x {each:0.#} B"), request.Trainer.Source("loss_backward_bytes"));
    }

    /// <summary>FP32 copies of the weight that the optimizer is at; of 8-bit states a piece at a time is decoded.</summary>
    private IEnumerable<PlanLine> StepCopies()
    {
        if (request.Trainer.Number("step_copies") is not (> 0 and var copies))
            yield break;
        var numbers = request.Optimizer.States.Any(state => state.Kind == StateKind.Blockwise) ? Math.Min(states.LargestTensor, DecodedPiece) : states.LargestTensor;
        var bytes = checked((long)(4 * numbers * (copies + (states.HasMaster ? 1 : 0))));
        yield return new(PlanCategory.Optimizer, "one weight at work", ByteRange.Around(bytes, 0.3, 1.3), string.Create(Culture, $"{numbers:N0} numbers x {copies + (states.HasMaster ? 1 : 0):0} FP32 copies"), request.Trainer.Source("step_copies"));
    }

    private IEnumerable<PlanLine> StepGradients() => OffloadsGradients || request.StepsInBackward ? [] : Gradients(states.Gradients, "all");

    private IEnumerable<PlanLine> Gradients(long bytes, string which) => bytes == 0 ? [] : [Gradient(bytes, which)];

    private PlanLine Gradient(long bytes, string which) => new(PlanCategory.Gradients, "gradients", ByteRange.Exactly(bytes),
        string.Create(Culture, $"{states.GradientBytes} B per trained parameter{Divided(Sharding.Gradients)}: {which}"), StateSource);

    private IEnumerable<PlanLine> GatheredLines()
    {
        if (states.Gathered is > 0 and var bytes)
            yield return new(PlanCategory.Overhead, "gathered layers", ByteRange.Around(bytes, 0.6, 1.6), "two whole layers, embedding and head, while they compute", "FSDP prefetches one layer; DeepSpeed stage 3 keeps live parameters");
    }

    private IEnumerable<PlanLine> BucketLines()
    {
        if (states.Buckets is > 0 and var bytes)
            yield return new(PlanCategory.Overhead, "reduce buckets", new(0, bytes, checked(2 * bytes)), "gradients on their way to the other ranks", "DDP buckets hold each gradient once more (gradient_as_bucket_view false); ZeRO: 5e8 elements; FSDP: one layer");
    }

    /// <summary>Micro-batches whose activations are alive at once: with 1F1B, stage i waits for p - i of them.</summary>
    private int InFlight => Math.Min(request.Parallel.Pipeline - states.Stage.Index, Math.Max(request.Accumulation, 1));

    private PlanLine DeviceSaved()
    {
        var saved = checked(SavedBytes() * InFlight);
        if (!request.Offload.HasFlag(TrainingOffload.Activations))
            return SavedLine(saved, "saved activations");
        var onDevice = Math.Min(saved, 2 * saved / Math.Max(1, layers.Length * InFlight));
        return new(PlanCategory.Activations, "saved activations", ByteRange.Around(onDevice, 0, 2), "two layers on their way to the host", "activation offload: the rest lies in pinned host memory");
    }

    private PlanLine SavedLine(long bytes, string name)
    {
        var perLayer = layers.Length == 0 ? 0 : (double)bytes / InFlight / layers.Length / request.Tokens;
        var copies = perLayer / (request.ComputeBytes * request.Model.HiddenSize);
        var flight = InFlight == 1 ? "" : string.Create(Culture, $" x {InFlight} micro-batches in flight");
        var what = request.Checkpointing switch
        {
            Checkpointing.Full => "the input of each layer",
            Checkpointing.Selective => "every second layer whole, of the others the input",
            _ => "everything the backward pass reads",
        };
        return new(PlanCategory.Activations, name, ByteRange.Around(bytes, request.Checkpointing == Checkpointing.Full ? 0.95 : 0.8, request.Checkpointing == Checkpointing.Full ? 1.1 : 1.15),
            string.Create(Culture, $"{request.Tokens:N0} tokens x {layers.Length} layers x {perLayer:N0} B ({copies:0.#} copies of the hidden state): {what}{flight}"), ActivationSource);
    }

    /// <summary>Bytes of one micro-batch that wait for the backward pass in this stage.</summary>
    private long SavedBytes()
    {
        var sum = 0L;
        for (var i = 0; i < layers.Length; i++)
        {
            var keepsAll = request.Checkpointing == Checkpointing.None || (request.Checkpointing == Checkpointing.Selective && i % 2 == 1);
            sum += keepsAll ? LayerBytes(layers[i], scores: request.Checkpointing == Checkpointing.None) : activations.LayerInput;
        }
        // Behind the layers: the final norm and the input of the head.
        return checked(request.Tokens * (sum + (states.Stage.IsLast ? 3 * activations.LayerInput : 0)));
    }

    private long LayerBytes(LayerActivations layer, bool scores) => checked(layer.Saved + (scores ? layer.ScoresPerToken * request.SequenceLength : 0));

    /// <summary>What one layer needs while it runs: its gradients, and with checkpointing everything it would have kept.</summary>
    private PlanLine LayerLine(bool forward)
    {
        var recomputed = request.Checkpointing == Checkpointing.None ? 0 : layers.Select(layer => LayerBytes(layer, scores: true)).DefaultIfEmpty(0).Max();
        var scores = layers.Select(layer => layer.ScoresPerToken).DefaultIfEmpty(0).Max();
        var working = checked(activations.Working + scores * request.SequenceLength);
        var bytes = checked(request.Tokens * (working + (forward ? 0 : recomputed)));
        var name = recomputed > 0 && !forward ? "one layer, computed again" : "one layer at work";
        return new(PlanCategory.Activations, name, ByteRange.Around(bytes, 0.6, 1.3),
            string.Create(Culture, $"{request.Tokens:N0} tokens x ({working:N0} B of {(forward ? "values" : "gradients")}{(recomputed > 0 && !forward ? string.Create(Culture, $" + {recomputed:N0} B computed again") : "")})"), ActivationSource);
    }

    private PlanLine LossLine()
    {
        var vocabulary = (request.Model.VocabularySize + request.Parallel.Tensor - 1) / request.Parallel.Tensor;
        var values = checked((double)request.Tokens * vocabulary);
        // FP32 logits are one copy of four bytes more than their 16-bit form.
        var plain = request.Trainer.Number("logit_bytes") + (request.ComputeBytes == 4 && !request.Trainer.Says("logits", "fp32") ? 4 : 0);
        var (bytes, each, what) = request.Loss switch
        {
            LossKind.Plain when request.Distills => (values * (plain + DistillationBytes), plain + DistillationBytes, "logits, log-probabilities and their gradients; probabilities of the original"),
            LossKind.Plain => (values * plain, plain, "logits, log-probabilities and their gradients"),
            LossKind.Chunked when request.Compiled => (values * (request.ComputeBytes + 0.5), request.ComputeBytes + 0.5, "logits of all chunks, one FP32 copy of an eighth"),
            LossKind.Chunked => (values * (request.ComputeBytes + 1.5), request.ComputeBytes + 1.5, "logits of all chunks, three FP32 copies of an eighth"),
            _ => ((double)request.Tokens * request.Model.HiddenSize * 8, 8.0, "gradient of the hidden state and one chunk of logits of the same size"),
        };
        var count = request.Loss == LossKind.Fused ? string.Create(Culture, $"{request.Tokens:N0} tokens x {request.Model.HiddenSize:N0}") : string.Create(Culture, $"{request.Tokens:N0} tokens x {vocabulary:N0} values");
        return new(PlanCategory.Activations, "logits and loss", ByteRange.Around(bytes, 0.7, 1.25), string.Create(Culture, $"{count} x {each:0.#} B: {what}"), request.Loss == LossKind.Plain ? request.Trainer.Source("logit_bytes") : "torchtune CEWithChunkedOutputLoss (8 chunks); Liger fused linear cross-entropy: as many chunks as the vocabulary is wider than the hidden state");
    }

    private string Divided(Sharding from)
    {
        var parts = new List<string>();
        if (request.Parallel.Pipeline > 1)
            parts.Add(string.Create(Culture, $"stage {states.Stage.Index} of {request.Parallel.Pipeline}"));
        if (request.Parallel.Tensor > 1)
            parts.Add(string.Create(Culture, $"1/{request.Parallel.Tensor} of each matrix"));
        if (request.Parallel.Shards > 1 && request.Parallel.Sharding >= from)
            parts.Add(string.Create(Culture, $"1/{request.Parallel.Shards} of the rest"));
        return parts.Count == 0 ? "" : ", " + string.Join(", ", parts);
    }
}
