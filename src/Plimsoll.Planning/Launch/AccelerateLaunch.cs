using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Launch;

/// <summary>The YAML of <c>accelerate launch</c>: FSDP where it divides what was planned, DeepSpeed where only that can.</summary>
internal static class AccelerateLaunch
{
    private const string File = "accelerate.yaml";

    private static readonly LaunchTool Tool = LaunchTools.Accelerate;

    public static LaunchConfiguration Create(TrainingLaunch launch)
    {
        launch.RefuseOtherThanDataParallel(Tool);
        var type = DistributedType(launch);
        if (type == "DEEPSPEED")
            _ = DeepSpeedLaunch.Create(launch);
        var notes = TrainingHeader.Lines(launch, Tool).Concat(Remarks(launch, type)).ToList();
        var cluster = launch.Cluster;
        var yaml = new YamlText();
        foreach (var note in notes)
            yaml.Comment(note);
        yaml.Value(Tool.Checked("compute_environment"), "LOCAL_MACHINE").Value(Tool.Checked("distributed_type"), type);
        // With a DeepSpeed file, precision and batch are stated there and only there.
        if (type != "DEEPSPEED")
            yaml.Value(Tool.Checked("mixed_precision"), MixedPrecision(launch));
        yaml.Value(Tool.Checked("num_machines"), cluster.Nodes).Value(Tool.Checked("num_processes"), cluster.Ranks);
        if (cluster.Nodes > 1)
            yaml.Value(Tool.Checked("rdzv_backend"), "static").Value(Tool.Checked("same_network"), true);
        if (type == "FSDP")
            yaml.Map(Tool.Checked("fsdp_config"), fsdp => WriteFsdp(fsdp, launch));
        if (type == "DEEPSPEED")
            yaml.Map(Tool.Checked("deepspeed_config"), settings => settings
                .Value(Member("deepspeed_config.deepspeed_config_file"), DeepSpeedLaunch.File)
                .Value(Member("deepspeed_config.zero3_init_flag"), launch.ZeroStage == 3));
        var machine = cluster.Nodes > 1 ? $" {TrainingHeader.Machine}" : "";
        return new("accelerate", File, $"accelerate launch {Tool.Checked("--config_file")} {File}{machine} train.py", yaml.ToString()) { Notes = notes };
    }

    private static string DistributedType(TrainingLaunch launch)
    {
        if (launch.Request.Parallel.Devices == 1 && !launch.Offloads(TrainingOffload.Optimizer) && launch.Request.Optimizer.Place != StatePlace.Host)
            return "NO";
        // FSDP moves weights, gradients and states together, or nothing; states alone are divided by ZeRO 1.
        var (weights, optimizer) = (launch.Offloads(TrainingOffload.Weights), launch.Offloads(TrainingOffload.Optimizer));
        if (launch.ZeroStage >= 2 && weights == optimizer && launch.Request.Optimizer.Place != StatePlace.Host)
            return "FSDP";
        return launch.ZeroStage == 0 && !optimizer && launch.Request.Optimizer.Place != StatePlace.Host ? "MULTI_GPU" : "DEEPSPEED";
    }

    private static string MixedPrecision(TrainingLaunch launch) => launch.Request.Compute == ComputeType.Fp32 || launch.IsPure16Bit ? "no" : launch.Compute;

    private static void WriteFsdp(YamlText fsdp, TrainingLaunch launch) => fsdp
        .Value(Member("fsdp_config.fsdp_version"), 2)
        .Value(Member("fsdp_config.fsdp_reshard_after_forward"), launch.ZeroStage == 3)
        .Value(Member("fsdp_config.fsdp_offload_params"), launch.Offloads(TrainingOffload.Weights))
        .Value(Member("fsdp_config.fsdp_auto_wrap_policy"), "TRANSFORMER_BASED_WRAP")
        .Value(Member("fsdp_config.fsdp_cpu_ram_efficient_loading"), true)
        .Value(Member("fsdp_config.fsdp_state_dict_type"), "SHARDED_STATE_DICT")
        .Value(Member("fsdp_config.fsdp_activation_checkpointing"), launch.Request.Checkpointing == Checkpointing.Full);

    private static IEnumerable<string> Remarks(TrainingLaunch launch, string type)
    {
        if (type == "DEEPSPEED")
            yield return $"Reads {DeepSpeedLaunch.File}, which --emit deepspeed writes.";
        else if (launch.IsPure16Bit)
            yield return $"The script loads the model in {launch.Compute}: mixed precision would keep FP32 weights.";
        else if (!launch.HasAdapters && launch.Request.Compute != ComputeType.Fp32)
            yield return "The script loads the model in FP32: these are the master weights, and layers are cast as they run.";
        if (type == "FSDP" && launch.ZeroStage == 2)
            yield return "With fsdp_reshard_after_forward false, FSDP keeps whole weights from forward to backward, as ZeRO 2 does all the time.";
        if (launch.Request.Checkpointing == Checkpointing.Selective || (launch.Request.Checkpointing == Checkpointing.Full && type != "FSDP"))
            yield return "Checkpointing of activations is the script's setting: model.gradient_checkpointing_enable().";
        if (launch.Cluster.Nodes > 1)
            yield return "NODE_RANK is the number of the machine, from 0; HEAD_NODE_IP the address of machine 0.";
    }

    private static string Member(string path) => Tool.Checked(path)[(path.LastIndexOf('.') + 1)..];
}
