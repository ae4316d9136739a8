using System.Globalization;
using System.Text;
using System.Text.Json;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Launch;

/// <summary>The JSON that DeepSpeed, accelerate, transformers' Trainer and axolotl read.</summary>
internal static class DeepSpeedLaunch
{
    public const string File = "deepspeed.json";

    private static readonly LaunchTool Tool = LaunchTools.DeepSpeed;

    public static LaunchConfiguration Create(TrainingLaunch launch)
    {
        launch.RefuseOtherThanDataParallel(Tool);
        var request = launch.Request;
        RefuseRecipe(launch);
        var notes = TrainingHeader.Lines(launch, Tool).ToList();
        if (Optimizer(request) is null)
            notes.Add($"The training script brings the optimizer ({request.Optimizer.Name}); DeepSpeed has none of this kind.");
        if (request.Checkpointing != Checkpointing.None)
            notes.Add("Checkpointing of activations is the model's setting: model.gradient_checkpointing_enable(), or gradient_checkpointing in TrainingArguments.");
        if (launch.Cluster.Nodes > 1)
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"The file 'hostfile' names the machines, one a line: HOST slots={launch.Cluster.GpusPerNode}."));
        return new("deepspeed", File, Command(launch), Json(launch)) { Notes = notes };
    }

    private static string Command(TrainingLaunch launch)
    {
        var where = launch.Cluster.Nodes > 1
            ? $"{Tool.Checked("--hostfile")} hostfile"
            : string.Create(CultureInfo.InvariantCulture, $"{Tool.Checked("--num_gpus")} {launch.Cluster.GpusPerNode}");
        return $"deepspeed {where} train.py --deepspeed {File}";
    }

    /// <summary>DeepSpeed always keeps FP32 copies of 16-bit weights, but for one combination. Source: config-json.md, support matrix of bf16 master weights.</summary>
    private static void RefuseRecipe(TrainingLaunch launch)
    {
        var request = launch.Request;
        var (zero, bf16States) = (launch.ZeroStage > 0, request.Optimizer.Id == "adamw-bf16");
        if (launch.IsPure16Bit && !(request.Compute == ComputeType.Bf16 && zero && bf16States))
            throw new LaunchRefusedException("DeepSpeed trains without FP32 master weights only in bf16, with ZeRO and bf16 moments", "--precision bf16 --optimizer adamw-bf16 --master-weights none --parallel zero=1; or --master-weights fp32");
        if (!launch.IsPure16Bit && bf16States && !launch.HasAdapters)
            throw new LaunchRefusedException("DeepSpeed keeps the moments of FP32 master weights in FP32", "--optimizer adamw, or --master-weights none");
        if (launch.Offloads(TrainingOffload.Weights) && launch.ZeroStage < 3)
            throw new LaunchRefusedException("DeepSpeed moves weights to RAM only with ZeRO 3", "--parallel zero=3");
    }

    private static string Json(TrainingLaunch launch)
    {
        var request = launch.Request;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber(Tool.Checked("train_micro_batch_size_per_gpu"), request.MicroBatch);
            json.WriteNumber(Tool.Checked("gradient_accumulation_steps"), request.Accumulation);
            json.WriteNumber(Tool.Checked("train_batch_size"), checked((long)request.MicroBatch * request.Accumulation * request.Parallel.Data));
            json.WriteString(Tool.Checked("gradient_clipping"), "auto");
            WriteOptimizer(json, request);
            WriteType(json, launch);
            WriteZero(json, launch);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    private static string? Optimizer(TrainingRequest request) => Tool.Value("optimizer", request.Optimizer.Id);

    private static void WriteOptimizer(Utf8JsonWriter json, TrainingRequest request)
    {
        if (Optimizer(request) is not { } optimizer)
        {
            json.WriteBoolean(Tool.Checked("zero_allow_untested_optimizer"), true);
            return;
        }
        json.WriteStartObject(Tool.Checked("optimizer"));
        json.WriteString("type", optimizer);
        json.WriteStartObject("params");
        // The Trainer fills "auto" in; learning rates are no matter of memory.
        json.WriteString("lr", "auto");
        json.WriteString("weight_decay", "auto");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteType(Utf8JsonWriter json, TrainingLaunch launch)
    {
        if (launch.Request.Compute == ComputeType.Fp32)
            return;
        json.WriteStartObject(Tool.Checked(launch.Compute));
        json.WriteBoolean(Member($"{launch.Compute}.enabled"), true);
        if (launch.IsPure16Bit)
        {
            json.WriteBoolean(Member("bf16.bf16_master_weights_and_grads"), true);
            json.WriteBoolean(Member("bf16.bf16_optimizer_states"), true);
        }
        json.WriteEndObject();
    }

    private static void WriteZero(Utf8JsonWriter json, TrainingLaunch launch)
    {
        json.WriteStartObject(Tool.Checked("zero_optimization"));
        json.WriteNumber(Member("zero_optimization.stage"), launch.ZeroStage);
        if (launch.ZeroStage > 0)
        {
            json.WriteBoolean(Member("zero_optimization.overlap_comm"), true);
            json.WriteBoolean(Member("zero_optimization.contiguous_gradients"), true);
        }
        if (launch.Offloads(TrainingOffload.Optimizer) || launch.Request.Optimizer.Place == StatePlace.Host)
            WriteOffload(json, "zero_optimization.offload_optimizer");
        if (launch.Offloads(TrainingOffload.Weights))
            WriteOffload(json, "zero_optimization.offload_param");
        if (launch.ZeroStage == 3)
            json.WriteBoolean(Member("zero_optimization.stage3_gather_16bit_weights_on_model_save"), true);
        json.WriteEndObject();
    }

    private static void WriteOffload(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(Member(name));
        json.WriteString(Member("offload.device"), "cpu");
        json.WriteBoolean(Member("offload.pin_memory"), true);
        json.WriteEndObject();
    }

    /// <summary>The last part of a checked path: <c>stage</c> of <c>zero_optimization.stage</c>.</summary>
    private static string Member(string path) => Tool.Checked(path)[(path.LastIndexOf('.') + 1)..];
}
