using System.Diagnostics;
using Plimsoll.Numerics;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Launch;

namespace Plimsoll.Planning.Tests.Launch;

public class ServingLaunchTests
{
    [Fact]
    public void Vllm_is_started_with_every_value_that_the_plan_rests_on()
    {
        var launch = Launches.Serving("vllm", "llama-3.1-70b", gpu: "4x h100", change: request => request with { Parallel = new(4, 1, 1), Vllm = new() { Utilization = 0.85, EnforceEager = true } });
        Assert.Equal(
            "vllm serve meta-llama/Llama-3.1-70B --dtype bfloat16 --max-model-len 8192 --kv-cache-dtype auto --gpu-memory-utilization 0.85 --max-num-batched-tokens 8192 --max-num-seqs 256 --enforce-eager --tensor-parallel-size 4",
            Launcher.Create("vllm", launch).Command);
    }

    [Fact]
    public void Several_machines_are_joined_by_ray()
    {
        var launch = Launches.Serving("vllm", "llama-3.1-405b", gpu: "16x h100", change: request => request with { Parallel = new(8, 2, 1) });
        var script = Launcher.Create("vllm", launch).Text;
        Assert.Contains("# 2 machines x 8 GPUs = 16 ranks (H100 SXM5 80GB).\n", script, StringComparison.Ordinal);
        Assert.Contains("--tensor-parallel-size 8 \\\n  --pipeline-parallel-size 2 \\\n  --distributed-executor-backend ray\n", script, StringComparison.Ordinal);
        Assert.Contains("ray start --head --port=6379 --num-gpus=8\n", script, StringComparison.Ordinal);
        Assert.Contains("ray start --block --address=\"$HEAD_NODE_IP:6379\" --num-gpus=8\n", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nf4", "--quantization bitsandbytes", "meta-llama/Llama-3.1-8B")]
    [InlineData("fp8:tensor", "--quantization fp8", "meta-llama/Llama-3.1-8B")]
    [InlineData("awq", "", "./Llama-3.1-8B-awq-4bit-g128")]
    [InlineData("gptq:4bit-g128", "", "./Llama-3.1-8B-gptq-4bit-g128")]
    [InlineData("fp16", "--dtype float16", "meta-llama/Llama-3.1-8B")]
    public void Vllm_is_told_only_what_the_checkpoint_does_not_say(string precision, string option, string model)
    {
        var launched = Launcher.Create("vllm", Launches.Serving("vllm", precision: precision));
        Assert.StartsWith($"vllm serve {model} {option}".TrimEnd() + " --max-model-len", launched.Command, StringComparison.Ordinal);
        Assert.Equal(model.StartsWith('.'), launched.Notes.Any(note => note.Contains($"Needs a checkpoint of meta-llama/Llama-3.1-8B quantized as", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_checkpoint_that_is_quantized_already_is_named_itself()
    {
        var launch = Launches.Serving("vllm", precision: "nf4");
        launch = launch with { Model = new() { Reference = "someone/Llama-3.1-8B-bnb", IsOnHub = true, StoredPrecision = "nf4" } };
        Assert.StartsWith("vllm serve someone/Llama-3.1-8B-bnb --max-model-len", Launcher.Create("vllm", launch).Command, StringComparison.Ordinal);
    }

    [Fact]
    public void Llama_server_gets_one_pool_for_all_slots()
    {
        var launch = Launches.Serving("llama.cpp", "qwen3-30b-a3b", "gguf:q4_k_m", "rtx-3090", request => request with
        {
            Batch = 4,
            KvFormat = new(NumberFormats.Q8_0, NumberFormats.Fp16),
            LlamaCpp = new() { CpuExpertLayers = 12, MicroBatch = 4096, UnifiedKv = false, FullWindowCache = true },
        });
        Assert.Equal(
            "llama-server -m ./Qwen3-30B-A3B-Q4_K_M.gguf -ngl 49 -c 32768 -np 4 --no-kv-unified -ctk q8_0 -ctv f16 -fa on -ub 4096 -b 4096 --n-cpu-moe 12 --swa-full",
            Launcher.Create("llama.cpp", launch).Command);
    }

    [Fact]
    public void A_gguf_on_the_hub_is_downloaded_by_llama_server()
    {
        var launch = Launches.Serving("llama.cpp", precision: "gguf:q4_k_m") with { Model = new() { Reference = "ggml-org/Some-GGUF:Q4_K_M", IsOnHub = true, IsGguf = true, StoredPrecision = "gguf:q4_k_m" } };
        Assert.StartsWith("llama-server -hf ggml-org/Some-GGUF:Q4_K_M -ngl 33 ", Launcher.Create("llama.cpp", launch).Command, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_hosts_are_joined_by_rpc()
    {
        var launch = Launches.Serving("llama.cpp", "llama-3.1-70b", "gguf:q4_k_m", "4x rtx-3090", request => request with { Parallel = new(1, 4, 1), LlamaCpp = new() { TensorSplit = [2, 1, 1, 0.5] } });
        var script = Launcher.Create("llama.cpp", launch with { GpusPerNode = 2 }).Text;
        Assert.Contains("-sm layer \\\n  -ts 2,1,1,0.5 \\\n  --rpc \"$RPC_HOST_1:50052\"\n", script, StringComparison.Ordinal);
        Assert.Contains("#   rpc-server -H 0.0.0.0 -p 50052\n", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nf4", "BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=\"nf4\", bnb_4bit_compute_dtype=torch.bfloat16)")]
    [InlineData("nf4-dq", "BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=\"nf4\", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16)")]
    [InlineData("bnb-int8", "BitsAndBytesConfig(load_in_8bit=True)")]
    public void Transformers_quantizes_with_bitsandbytes_while_loading(string precision, string config) =>
        Assert.Contains($"    quantization_config={config},\n", Launcher.Create("transformers", Launches.Serving("transformers", precision: precision)).Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("vllm", "int4", "int4 cannot be launched. Plain int4 stores no scales")]
    [InlineData("llama.cpp", "awq", "llama.cpp does not load awq:4bit-g128 weights")]
    [InlineData("vllm", "gguf:q4_k_m", "vLLM reads GGUF files only as an experiment")]
    [InlineData("transformers", "gguf:q4_k_m", "transformers unpacks a GGUF file")]
    public void A_precision_that_the_engine_does_not_load_is_refused(string engine, string precision, string message)
    {
        var refused = Assert.Throws<LaunchRefusedException>(() => Launcher.Create(engine, Launches.Serving(engine, precision: precision)));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.NotNull(refused.Hint);
    }

    [Theory]
    [InlineData("vllm", "Q8_0", "vLLM has no Q8_0 cache")]
    [InlineData("llama.cpp", "FP8_E4M3", "llama.cpp has no FP8_E4M3 cache")]
    [InlineData("transformers", "FP8_E4M3", "a FP8_E4M3 cache is not written for transformers")]
    public void A_cache_that_the_engine_does_not_have_is_refused(string engine, string format, string message)
    {
        var cache = new KvFormat(NumberFormats.Find(format)!, NumberFormats.Find(format)!);
        var launch = Launches.Serving(engine, precision: engine == "llama.cpp" ? "gguf:q4_k_m" : "bf16", change: request => request with { KvFormat = cache });
        Assert.Contains(message, Assert.Throws<LaunchRefusedException>(() => Launcher.Create(engine, launch)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bare_size_has_nothing_to_load() =>
        Assert.Contains("7b is a size, not a model", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("vllm", Launches.Serving("vllm", "7b"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(12, 8, "--gpus-per-node 6 does")]
    [InlineData(9, 8, "--gpus-per-node 3 does")]
    [InlineData(11, 8, "--gpus-per-node 1 does")]
    public void Machines_are_filled_evenly(int gpus, int perNode, string hint) =>
        Assert.Contains(hint, Assert.Throws<LaunchRefusedException>(() => LaunchCluster.Of(gpus, perNode)).Hint, StringComparison.Ordinal);

    [Fact]
    public void Experts_follow_the_tensor_parallel_ranks_of_vllm()
    {
        var launch = Launches.Serving("vllm", "qwen3-30b-a3b", gpu: "4x h100", change: request => request with { Parallel = new(2, 1, 4) });
        Assert.Equal("--parallel tp=4,pp=1,ep=4", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("vllm", launch)).Hint);
        launch = launch with { Request = launch.Request with { Parallel = new(4, 1, 4) } };
        Assert.EndsWith("--tensor-parallel-size 4 --enable-expert-parallel", Launcher.Create("vllm", launch).Command, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("h100", "nvidia.com/gpu", "vllm/vllm-openai")]
    [InlineData("mi300x", "amd.com/gpu", "my/image:1")]
    public void A_pod_asks_for_the_gpus_of_the_plan(string gpu, string resource, string image)
    {
        var launch = Launches.Serving("vllm", gpu: $"2x {gpu}", change: request => request with { Parallel = new(2, 1, 1) });
        var manifest = Launcher.Create("kubernetes", launch with { Image = gpu == "h100" ? null : image }).Text;
        Assert.Contains($"            limits:\n              {resource}: 2\n", manifest, StringComparison.Ordinal);
        Assert.Contains($"          image: {YamlText.Scalar(image)}\n", manifest, StringComparison.Ordinal);
        Assert.Contains("          emptyDir:\n            medium: Memory\n", manifest, StringComparison.Ordinal);
    }

    [Fact]
    public void Local_weights_are_mounted_into_the_pod()
    {
        var launch = Launches.Serving("llama.cpp", precision: "gguf:q4_k_m") with { Model = new() { Reference = "/data/my model.gguf", IsGguf = true, StoredPrecision = "gguf:q4_k_m" } };
        var manifest = Launcher.Create("kubernetes", launch).Text;
        Assert.Contains("            - \"-m\"\n            - \"/models/my model.gguf\"\n", manifest, StringComparison.Ordinal);
        Assert.Contains("          persistentVolumeClaim:\n            claimName: models\n", manifest, StringComparison.Ordinal);
        Assert.Contains("            - \"--host\"\n            - \"0.0.0.0\"\n", manifest, StringComparison.Ordinal);
    }

    [Fact]
    public void One_pod_does_not_span_machines()
    {
        var launch = Launches.Serving("vllm", "llama-3.1-405b", gpu: "16x h100", change: request => request with { Parallel = new(8, 2, 1) });
        Assert.Contains("one pod runs on one machine", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("kubernetes", launch)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("it's a $(trap) \"model\".gguf")]
    [InlineData("back`tick\\and;more.gguf")]
    [InlineData("plain.gguf")]
    public void A_shell_hands_over_the_very_name(string name)
    {
        Assert.SkipUnless(File.Exists("/bin/sh"), "needs a POSIX shell");
        var launch = Launches.Serving("llama.cpp", precision: "gguf:q4_k_m") with { Model = new() { Reference = name, IsGguf = true, StoredPrecision = "gguf:q4_k_m" } };
        var script = Launcher.Create("llama.cpp", launch).Text.Replace("llama-server \\\n", "printf '%s\\n' \\\n", StringComparison.Ordinal);
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { RedirectStandardOutput = true })!;
        var words = shell.StandardOutput.ReadToEnd().Split('\n');
        shell.WaitForExit();
        Assert.Equal(name, words[1]);
        Assert.Equal("-ngl", words[2]);
    }
}
