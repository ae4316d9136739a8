using System.CommandLine;

namespace Plimsoll.Cli.Plan;

/// <summary>The options that describe a training run: <c>plan --for training|lora|qlora</c>.</summary>
internal static class TrainingOptions
{
    public static readonly Option<string?> Optimizer = new("--optimizer") { Description = "training: adamw, adamw-bf16, adamw-8bit, adamw-4bit, paged-adamw-8bit, adam-offload, sgd, momentum, lion, adafactor, muon, galore, badam, lomo" };
    public static readonly Option<string?> MasterWeights = new("--master-weights") { Description = "training: fp32 copies of 16-bit weights for the optimizer, or none" };
    public static readonly Option<int?> MicroBatch = OptionValues.Count("--micro-batch", "training: samples of one forward pass (the same as --batch)", maximum: 65_536);
    public static readonly Option<int?> Accumulate = OptionValues.Count("--accumulate", "training: micro-batches per optimizer step", maximum: 65_536);
    public static readonly Option<string?> Checkpointing = new("--checkpointing") { Description = "training: activation checkpointing: none, selective (every second layer) or full" };
    public static readonly Option<string?> Loss = new("--loss") { Description = "training: plain, chunked, or fused (Liger, cut cross-entropy)" };
    public static readonly Option<int?> Rank = OptionValues.Count("--rank", "lora, qlora: rank of the adapters", maximum: 65_536);
    public static readonly Option<string?> Targets = new("--lora-targets") { Description = "lora, qlora: modules such as q_proj,v_proj, or attention, all-linear, experts" };
    public static readonly Option<bool> Dora = new("--dora") { Description = "lora, qlora: a magnitude vector per target (DoRA)" };
    public static readonly Option<string?> AdapterPrecision = new("--adapter-precision") { Description = "lora, qlora: fp32 or bf16 adapters" };
    public static readonly Option<string?> Offload = new("--offload") { Description = "training: optimizer, params, activations to host memory, separated by commas" };
    public static readonly Option<bool> InBackward = new("--optimizer-in-backward") { Description = "training: use and free each gradient inside the backward pass" };
    public static readonly Option<bool> Compile = new("--compile") { Description = "training: torch.compile of the layers" };
    public static readonly Option<string?> Trainer = new("--trainer") { Description = "training: transformers, axolotl, unsloth, torchtune, torchtitan, litgpt; with a version as transformers@4.46" };

    public static IEnumerable<Option> All =>
        [Optimizer, MasterWeights, MicroBatch, Accumulate, Checkpointing, Loss, Rank, Targets, Dora, AdapterPrecision, Offload, InBackward, Compile, Trainer];

    /// <summary>Options of inference that mean nothing for training.</summary>
    public static IEnumerable<Option> Foreign => PlanOptions.All.Except(
        [PlanOptions.Precision, PlanOptions.Context, PlanOptions.Batch, PlanOptions.Parallel, PlanOptions.Eager, PlanOptions.Assume, PlanOptions.Catalog, PlanOptions.Offline]);
}
