using System.Globalization;
using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;

namespace Plimsoll.Cli.Plan;

/// <summary>What the table and the JSON of a plan say about a training run beyond its memory.</summary>
internal static class TrainingView
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void WriteHeader(TextWriter output, TrainingRequest request, MemoryPlan plan)
    {
        var what = request.Method switch
        {
            TrainingMethod.Full => "full training",
            TrainingMethod.Lora => $"{(request.Adapter!.Dora ? "DoRA" : "LoRA")} on {request.Weights.Precision} weights",
            _ => $"{(request.Adapter!.Dora ? "QDoRA" : "QLoRA")} on {request.Weights.Precision} weights",
        };
        var master = request is { Method: TrainingMethod.Full, MasterWeights: true, Compute: not ComputeType.Fp32 } ? ", FP32 master weights" : "";
        output.WriteLine($"{what}, computed in {Name(request.Compute)}, {request.Optimizer.Name}{master}; {request.Trainer.Name}");
        output.WriteLine(string.Create(Culture, $"{request.SequenceLength:N0} tokens x {request.MicroBatch} samples{(request.Accumulation > 1 ? string.Create(Culture, $" x {request.Accumulation} accumulated") : "")}; checkpointing {Name(request.Checkpointing)}, {Name(request.Loss)} loss, {(request.FlashAttention ? "flash" : "eager")} attention{Split(request.Parallel)}"));
        var states = States(plan);
        output.WriteLine(string.Create(Culture, $"States per GPU: {states.ToDecimalString()} = {states} = {states.Bytes:N0} B (weights, gradients, optimizer)"));
    }

    public static void WriteWorkload(Utf8JsonWriter json, TrainingRequest request, MemoryPlan plan)
    {
        json.WriteString("kind", request.Method switch { TrainingMethod.Full => "training", TrainingMethod.Lora => "lora", _ => "qlora" });
        json.WriteString("precision", request.Weights.Precision);
        json.WriteNumber("bits_per_weight", request.Weights.BitsPerWeight);
        json.WriteString("compute", Name(request.Compute));
        json.WriteString("optimizer", request.Optimizer.Id);
        json.WriteString("master_weights", request is { Method: TrainingMethod.Full, MasterWeights: true, Compute: not ComputeType.Fp32 } ? "fp32" : "none");
        json.WriteNumber("context", request.SequenceLength);
        json.WriteNumber("batch", request.MicroBatch);
        json.WriteNumber("accumulate", request.Accumulation);
        json.WriteString("checkpointing", Name(request.Checkpointing));
        json.WriteString("loss", Name(request.Loss));
        json.WriteBoolean("flash_attention", request.FlashAttention);
        json.WriteString("engine", request.Trainer.Id);
        json.WriteNumber("trainable_parameters", request.Adapter is { } adapter ? AdapterPlacement.Parameters(request.Model, adapter) : request.Model.Parameters);
        if (request.Adapter is { } settings)
        {
            json.WriteNumber("rank", settings.Rank);
            json.WriteStrings("lora_targets", settings.Targets);
            json.WriteBoolean("dora", settings.Dora);
        }
        json.WriteNumber("states_bytes", States(plan).Bytes);
        json.WriteNumber("data_parallel", request.Parallel.Data);
        json.WriteNumber("tensor_parallel", request.Parallel.Tensor);
        json.WriteNumber("pipeline_parallel", request.Parallel.Pipeline);
        json.WriteNumber("expert_parallel", request.Parallel.Expert);
        json.WriteNumber("zero", (int)request.Parallel.Sharding);
    }

    /// <summary>Weights, gradients and optimizer of the fullest GPU when it takes a step.</summary>
    private static ByteSize States(MemoryPlan plan)
    {
        var step = plan.Phases.Single(phase => phase.Name == "optimizer step");
        return new(step.Of(PlanCategory.Weights).Expected + step.Of(PlanCategory.Gradients).Expected + step.Of(PlanCategory.Optimizer).Expected);
    }

    private static string Split(TrainingParallelism parallel) => parallel.Devices == 1 ? "" : string.Create(Culture,
        $"; dp={parallel.Data}, tp={parallel.Tensor}{(parallel.Sequence ? " with sequence parallelism" : "")}, pp={parallel.Pipeline}, ep={parallel.Expert}, {(parallel.Sharding == Sharding.None ? "not sharded" : $"ZeRO {(int)parallel.Sharding}{(parallel.Sharding == Sharding.Weights ? " (FSDP)" : "")}")}");

    private static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
