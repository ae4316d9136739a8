using System.Globalization;

namespace Plimsoll.Planning.Launch;

/// <summary>A Python script that loads the model as it was planned and answers one prompt.</summary>
internal static class TransformersLaunch
{
    private static readonly LaunchTool Tool = LaunchTools.Transformers;

    public static LaunchConfiguration Create(LaunchRequest launch)
    {
        var request = launch.Request;
        if (request.Parallel.Tensor > 1 || request.Parallel.Expert > 1)
            throw new LaunchRefusedException("transformers deals layers out over GPUs (device_map); tensor and expert parallelism are not written for it", "--engine vllm, or --parallel pp=N");
        var cluster = LaunchCluster.Of(request.Parallel.Devices, launch.GpusPerNode);
        if (cluster.Nodes > 1)
            throw new LaunchRefusedException($"device_map reaches the GPUs of one machine; the plan needs {cluster}", "--engine vllm or llama.cpp runs on several");
        if (!request.KvFormat.Equals(Kv.KvFormat.Fp16))
            throw new LaunchRefusedException($"a {request.KvFormat} cache is not written for transformers", "leave --kv-precision out, or use --engine vllm or llama.cpp");

        var quantization = Quantization(request.Weights.Precision);
        var weights = Weights(launch, quantization is not null);
        var applied = launch.Model.StoredPrecision == request.Weights.Precision ? null : quantization;
        var lines = LaunchHeader.Lines(launch, cluster, Tool).ToList();
        if (weights.Remark is { } remark)
            lines.Add(remark);
        if (request.Weights.Precision.EndsWith("+experts", StringComparison.Ordinal))
            lines.Add("Needs transformers 4: version 5 leaves routed experts in 16 bits.");
        var text = string.Concat(lines.Select(line => $"# {line}\n")) + Script(launch, weights, applied);
        return new("transformers", "generate.py", "python generate.py", text) { Notes = lines };
    }

    private static string Script(LaunchRequest launch, LaunchWeights weights, string? quantization)
    {
        var request = launch.Request;
        var type = Tool.Value("dtype", request.Weights.Precision) is { } name ? $"torch.{name}" : "\"auto\"";
        var config = quantization is null ? "" : $"    {Tool.Checked("quantization_config")}={quantization},\n";
        var attention = request.FlashAttention ? "sdpa" : "eager";
        return string.Create(CultureInfo.InvariantCulture, $$"""
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer{{(quantization is null ? "" : ", BitsAndBytesConfig")}}

            MODEL = {{PythonText.Literal(weights.Reference)}}
            BATCH = {{request.Batch}}  # sequences at the same time
            CONTEXT = {{request.Context}}  # tokens of one sequence, prompt and answer together: what the memory was planned for

            tokenizer = AutoTokenizer.from_pretrained(MODEL, padding_side="left")
            model = AutoModelForCausalLM.from_pretrained(
                MODEL,
                {{Tool.Checked("dtype")}}={{type}},
                {{Tool.Checked("device_map")}}="auto",
                {{Tool.Checked("attn_implementation")}}="{{attention}}",
            {{config}})
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            inputs = tokenizer(["Hello"] * BATCH, return_tensors="pt", padding=True, truncation=True, max_length=CONTEXT - 1).to(model.device)
            output = model.generate(**inputs, max_new_tokens=min(256, CONTEXT - inputs["input_ids"].shape[1]))
            print(tokenizer.batch_decode(output, skip_special_tokens=True))

            """);
    }

    /// <summary>What transformers can apply while loading an unquantized checkpoint: bitsandbytes.</summary>
    private static string? Quantization(string precision) => precision.Replace("+experts", "", StringComparison.Ordinal) switch
    {
        "nf4" or "fp4" => FourBit(precision[..3], doubleQuant: false),
        "nf4-dq" or "fp4-dq" => FourBit(precision[..3], doubleQuant: true),
        "bnb-int8" => $"BitsAndBytesConfig({Tool.Checked("load_in_8bit")}=True)",
        _ => null,
    };

    private static string FourBit(string type, bool doubleQuant)
    {
        var twice = doubleQuant ? $", {Tool.Checked("bnb_4bit_use_double_quant")}=True" : "";
        return $"BitsAndBytesConfig({Tool.Checked("load_in_4bit")}=True, {Tool.Checked("bnb_4bit_quant_type")}=\"{type}\"{twice}, {Tool.Checked("bnb_4bit_compute_dtype")}=torch.bfloat16)";
    }

    private static LaunchWeights Weights(LaunchRequest launch, bool whileLoading)
    {
        var precision = launch.Request.Weights.Precision;
        if (precision.StartsWith("gguf:", StringComparison.Ordinal))
            throw new LaunchRefusedException($"transformers unpacks a GGUF file to 16 bits while loading, so {precision} would not save memory", "use --engine llama.cpp, or --precision nf4, awq or gptq");
        if (whileLoading || Tool.Value("dtype", precision) is not null)
            return LaunchWeights.Unquantized(launch);
        var kind = precision.Contains(':', StringComparison.Ordinal) ? precision[..(precision.IndexOf(':', StringComparison.Ordinal) + 1)] : precision;
        return Tool.Value("checkpoint", kind) is not null
            ? LaunchWeights.Quantized(launch)
            : throw LaunchWeights.NotLaunchable(launch, "transformers", "nf4, bnb-int8, awq, gptq or bf16");
    }
}
