using System.Globalization;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Launch;

/// <summary>The YAML of <c>axolotl train</c> for full fine-tuning, LoRA and QLoRA.</summary>
internal static class AxolotlLaunch
{
    private const string File = "axolotl.yaml";

    private static readonly LaunchTool Tool = LaunchTools.Axolotl;

    public static LaunchConfiguration Create(TrainingLaunch launch)
    {
        launch.RefuseOtherThanDataParallel(Tool);
        if (launch.Model.Reference is not { } model || launch.Model.IsGguf)
            throw new LaunchRefusedException($"{launch.Model.Reference ?? launch.Request.Model.Id} cannot be trained: axolotl loads a Hugging Face checkpoint", "name a model of the catalog, a folder, or org/name on the hub");
        var deepSpeed = UsesDeepSpeed(launch);
        if (deepSpeed)
            _ = DeepSpeedLaunch.Create(launch);
        var notes = TrainingHeader.Lines(launch, Tool).Concat(Remarks(launch, deepSpeed)).ToList();
        var yaml = new YamlText();
        foreach (var note in notes)
            yaml.Comment(note);
        yaml.Value(Tool.Checked("base_model"), model);
        WriteAdapter(yaml, launch);
        WriteData(yaml, launch.Request);
        WriteOptimizer(yaml, launch, deepSpeed);
        WriteType(yaml, launch);
        WriteActivations(yaml, launch.Request);
        if (deepSpeed)
            yaml.Value(Tool.Checked("deepspeed"), DeepSpeedLaunch.File);
        return new("axolotl", File, Command(launch), yaml.ToString()) { Notes = notes };
    }

    private static bool UsesDeepSpeed(TrainingLaunch launch) =>
        launch.ZeroStage > 0 || launch.Offloads(TrainingOffload.Optimizer) || launch.Request.Optimizer.Place == StatePlace.Host;

    private static string Command(TrainingLaunch launch)
    {
        var cluster = launch.Cluster;
        return cluster.Nodes == 1
            ? $"axolotl train {File}"
            : string.Create(CultureInfo.InvariantCulture, $"axolotl train {File} --launcher torchrun -- --nnodes={cluster.Nodes} --nproc_per_node={cluster.GpusPerNode} --rdzv_id=plimsoll --rdzv_backend=c10d --rdzv_endpoint=\"$HEAD_NODE_IP:29500\"");
    }

    private static void WriteAdapter(YamlText yaml, TrainingLaunch launch)
    {
        if (launch.Request.Adapter is not { } adapter || !launch.HasAdapters)
            return;
        var precision = launch.Request.Weights.Precision.Split('+')[0];
        var fourBit = precision is "nf4" or "nf4-dq" or "fp4" or "fp4-dq";
        if (launch.Request.Method == TrainingMethod.Qlora && !fourBit && precision != "bnb-int8")
            throw new LaunchRefusedException($"axolotl has no QLoRA on {precision} weights", "--precision nf4-dq, nf4 or bnb-int8");
        yaml.Value(Tool.Checked("adapter"), fourBit ? "qlora" : "lora");
        if (fourBit)
            yaml.Value(Tool.Checked("load_in_4bit"), true);
        if (precision == "bnb-int8")
            yaml.Value(Tool.Checked("load_in_8bit"), true);
        // axolotl quantizes to NF4 with double quantization unless told otherwise.
        if (fourBit && precision != "nf4-dq")
        {
            yaml.Map(Tool.Checked("bnb_config_kwargs"), kwargs => kwargs
                .Value("bnb_4bit_quant_type", precision[..3])
                .Value("bnb_4bit_use_double_quant", precision.EndsWith("-dq", StringComparison.Ordinal)));
        }
        yaml.Value(Tool.Checked("lora_r"), adapter.Rank)
            .Value(Tool.Checked("lora_alpha"), 2L * adapter.Rank)
            .Value(Tool.Checked("lora_dropout"), 0.0);
        WriteTargets(yaml, launch.Request, adapter);
        if (adapter.Dora)
            yaml.Value(Tool.Checked("peft_use_dora"), true);
    }

    private static void WriteTargets(YamlText yaml, TrainingRequest request, AdapterSettings adapter)
    {
        if (adapter.Targets is ["all-linear"])
        {
            yaml.Value(Tool.Checked("lora_target_linear"), true);
            return;
        }
        var targets = AdapterPlacement.Resolve(request.Model, adapter);
        if (targets.Any(target => target.Count > 1))
            throw new LaunchRefusedException("adapters on routed experts need axolotl's lora_target_parameters, which is not written here", "--lora-targets all-linear leaves the experts out");
        yaml.List(Tool.Checked("lora_target_modules"), targets.Select(target => Module(target.Tensor.Name)).Distinct());
    }

    /// <summary><c>q_proj</c> of <c>model.layers.0.self_attn.q_proj.weight</c>.</summary>
    private static string Module(string tensor)
    {
        var parts = tensor.Split('.');
        return parts[^1] is "weight" or "bias" ? parts[^2] : parts[^1];
    }

    private static void WriteData(YamlText yaml, TrainingRequest request) => yaml
        .Items(Tool.Checked("datasets"), data => data.Value("path", "train.jsonl").Value("type", "chat_template"))
        .Value(Tool.Checked("output_dir"), "./out")
        .Value(Tool.Checked("sequence_len"), request.SequenceLength)
        .Value(Tool.Checked("sample_packing"), false)
        .Value(Tool.Checked("micro_batch_size"), request.MicroBatch)
        .Value(Tool.Checked("gradient_accumulation_steps"), request.Accumulation);

    private static void WriteOptimizer(YamlText yaml, TrainingLaunch launch, bool deepSpeed)
    {
        var optimizer = launch.Request.Optimizer;
        var name = Tool.Value(deepSpeed && !launch.IsPure16Bit ? "optimizer_deepspeed" : launch.IsPure16Bit ? "optimizer_16bit" : "optimizer", optimizer.Id)
            ?? throw new LaunchRefusedException(
                launch.IsPure16Bit ? $"on {launch.Compute} weights without FP32 copies axolotl has no {optimizer.Name} with such states" : $"axolotl has no {optimizer.Name} with such states",
                $"--optimizer {string.Join(", ", Tool.Words(launch.IsPure16Bit ? "optimizer_16bit" : "optimizer"))}");
        yaml.Value(Tool.Checked("optimizer"), name);
        if (optimizer.States.FirstOrDefault(state => state.Rank > 0) is { } projected)
        {
            yaml.Value(Tool.Checked("optim_args"), string.Create(CultureInfo.InvariantCulture, $"rank={projected.Rank}"))
                .Value(Tool.Checked("optim_target_modules"), "all_linear");
        }
        yaml.Value(Tool.Checked("learning_rate"), launch.HasAdapters ? 0.0002 : 0.00002)
            .Value(Tool.Checked("lr_scheduler"), "cosine")
            .Value(Tool.Checked("num_epochs"), 1);
    }

    /// <summary>axolotl loads weights in the type it computes in; only DeepSpeed then keeps FP32 copies. Source: src/axolotl/utils/config/__init__.py, torch_dtype.</summary>
    private static void WriteType(YamlText yaml, TrainingLaunch launch)
    {
        var request = launch.Request;
        if (!launch.HasAdapters && request.Compute != ComputeType.Fp32 && request.MasterWeights && !UsesDeepSpeed(launch))
            throw new LaunchRefusedException(
                $"axolotl loads the weights in {launch.Compute} and keeps no FP32 copies without DeepSpeed, so this plan is not what it would run",
                "--master-weights none with --optimizer adamw-bf16 or adamw-8bit; or --precision fp32; or several GPUs with --parallel zero=1");
        yaml.Value(Tool.Checked("bf16"), request.Compute == ComputeType.Bf16);
        if (request.Compute == ComputeType.Fp16)
            yaml.Value(Tool.Checked("fp16"), true);
        if (request.Compute == ComputeType.Fp32)
            yaml.Value(Tool.Checked("float32"), true);
    }

    private static void WriteActivations(YamlText yaml, TrainingRequest request)
    {
        if (request.Checkpointing == Checkpointing.Selective)
            throw new LaunchRefusedException("axolotl checkpoints every layer or none; its selective_checkpointing keeps other things than the plan", "--checkpointing full or none");
        if (request.Offload.HasFlag(TrainingOffload.Activations) && request.Checkpointing == Checkpointing.None)
            throw new LaunchRefusedException("axolotl moves activations to RAM only with checkpointing", "--checkpointing full");
        yaml.Value(Tool.Checked("gradient_checkpointing"), request.Checkpointing == Checkpointing.Full);
        if (request.Checkpointing == Checkpointing.Full)
            yaml.Map(Tool.Checked("gradient_checkpointing_kwargs"), kwargs => kwargs.Value("use_reentrant", false));
        if (request.Offload.HasFlag(TrainingOffload.Activations))
            yaml.Value(Tool.Checked("activation_offloading"), true);
        yaml.Value(Tool.Checked("attn_implementation"), request.FlashAttention ? "flash_attention_2" : "eager");
        if (request.Loss == LossKind.Chunked)
            yaml.Value(Tool.Checked("chunked_cross_entropy"), true);
        if (request.Loss == LossKind.Fused)
        {
            yaml.List(Tool.Checked("plugins"), ["axolotl.integrations.liger.LigerPlugin"])
                .Value(Tool.Checked("liger_fused_linear_cross_entropy"), true);
        }
        if (request.Compiled)
            yaml.Value(Tool.Checked("torch_compile"), true);
    }

    private static IEnumerable<string> Remarks(TrainingLaunch launch, bool deepSpeed)
    {
        yield return "datasets, output_dir, learning_rate, num_epochs and lora_alpha are not planned: put yours there.";
        if (deepSpeed)
            yield return $"Reads {DeepSpeedLaunch.File}, which --emit deepspeed writes.";
        if (launch.Cluster.Nodes > 1)
            yield return "The same command on every machine; HEAD_NODE_IP is the address of the first.";
    }
}
