using System.Collections.Immutable;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Planning.Speed;

/// <summary>Predicts tokens per second from what is read, what is computed, and what each layer costs anyway.</summary>
/// <remarks>
/// One constant "efficiency" is wrong by up to a factor of two, because three different things limit a token:
/// <list type="bullet">
/// <item>memory: bytes / effective bandwidth, where the effective bandwidth is the smaller of a share of the card's bandwidth and what its
/// shader clusters can keep in flight (bytes per cluster and clock cycle). The second limits A100, H100, H20 and Apple's first chips;</item>
/// <item>launches: microseconds per layer, whatever the size of the layer. It limits small models;</item>
/// <item>the host: Python between two kernels. It hides behind the GPU's work or the GPU's work hides behind it.</item>
/// </list>
/// </remarks>
public sealed class SpeedModel(SpeedConstants constants)
{
    // How sharply "the smaller of two limits" bends between them; 2, 4 and 6 predict unseen models no better.
    private const double Sharpness = 3;

    // What is added to the spread (of the logarithm) for what no measurement covers. Between the measured families of one engine the
    // constants differ by about this much.
    private const double UnmeasuredKind = 0.2;
    private const double UnmeasuredArchitecture = 0.2;

    // The measurements are of known engine versions; a current engine has moved on.
    private const double CurrentEngine = 0.1;

    /// <summary>The model with the constants that come with the product.</summary>
    public static SpeedModel Default { get; } = new(SpeedConstants.Default);

    /// <summary>Tokens per second of all sequences together while generating.</summary>
    public SpeedResult Decode(SpeedInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (Refusal(input, out var profile) is { } reason)
            return SpeedResult.Refused(reason);
        var terms = DecodeTerms(input, profile!);
        return Bounded(input, profile!, input.Batch / terms.Seconds, "decode_spread", terms.Parts);
    }

    /// <summary>Tokens per second while a prompt is read, from the first byte to the first new token.</summary>
    public SpeedResult Prefill(SpeedInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (Refusal(input, out var profile) is { } reason)
            return SpeedResult.Refused(reason);
        if (input.PromptTokens <= 0)
            return SpeedResult.Refused("the prompt is empty");
        if (ComputeRate(input, profile!) is null)
            return SpeedResult.Refused($"the catalog has no FP16 matrix rate for {input.Gpu.Name}");
        var terms = PrefillTerms(input, profile!);
        return Bounded(input, profile!, input.Batch * (double)input.PromptTokens / terms.Seconds, "prefill_spread", terms.Parts);
    }

    /// <summary>Prompt and generation together, as benchmark tables print it: tokens counted, divided by the time of both.</summary>
    /// <param name="decode">The input at the average context of the generation.</param>
    /// <param name="countPrompt">The table counts the prompt's tokens too.</param>
    public SpeedResult Request(SpeedInput decode, int generatedTokens, bool countPrompt)
    {
        ArgumentNullException.ThrowIfNull(decode);
        if (Refusal(decode, out var profile) is { } reason)
            return SpeedResult.Refused(reason);
        if (decode.PromptTokens > 0 && ComputeRate(decode, profile!) is null)
            return SpeedResult.Refused($"the catalog has no FP16 matrix rate for {decode.Gpu.Name}");
        var step = DecodeTerms(decode, profile!);
        var prefill = PrefillTerms(decode, profile!);
        var seconds = prefill.Seconds + generatedTokens * step.Seconds;
        return Bounded(decode, profile!, (generatedTokens + (countPrompt ? decode.PromptTokens : 0)) / seconds, "decode_spread", step.Parts.AddRange(prefill.Parts));
    }

    /// <summary>What must have been measured for the usual bounds to hold: the weight family, and what adds terms of its own.</summary>
    public static IEnumerable<string> KindsOf(SpeedInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        yield return WeightClass.Of(input.Precision);
        if (input.Experts > 0)
            yield return "experts";
        if (input.GpuCount > 1 && input.Parallel == ParallelMode.Tensor)
            yield return "tensor-parallel";
        if (input.Batch > 1)
            yield return "batches";
    }

    private string? Refusal(SpeedInput input, out SpeedProfile? profile)
    {
        profile = constants.Find(input.Engine, input.EngineVersion, input.Gpu.Vendor);
        if (profile is null)
            return $"no speed measurements of {input.Engine}; measured are {string.Join(", ", constants.Engines)}";
        return input.Gpu.Bandwidth is null ? $"the memory bandwidth of {input.Gpu.Name} is not known" : null;
    }

    private static (double Seconds, ImmutableArray<SpeedTerm> Parts) DecodeTerms(SpeedInput input, SpeedProfile profile)
    {
        var family = WeightClass.Of(input.Precision);
        var parallel = input.Parallel == ParallelMode.Tensor ? input.GpuCount : 1;
        var bandwidth = input.Gpu.Bandwidth!.Value * 1e9;
        var cycles = ClusterCycles(input.Gpu);

        var weightRate = Softmin(bandwidth * profile.Value("efficiency"), cycles * profile.Value("bytes_per_cycle", family));
        var weights = input.StepBytes / parallel / weightRate;

        var cacheBytes = input.KeyValueBytes * input.Batch * (profile.Value("kv_expanded") > 0 ? input.QueriesPerKeyValueHead : 1);
        var cacheRate = Softmin(bandwidth * profile.Value("kv_efficiency"), cycles * profile.Value("kv_bytes_per_cycle", family));
        var cache = cacheBytes / Math.Min(parallel, input.KeyValueHeads) / cacheRate;

        var memory = weights + cache;
        var compute = 2 * input.ActiveParameters * input.Batch / parallel / (ComputeRate(input, profile) ?? double.PositiveInfinity);
        var launches = profile.Value("fixed_us") + input.Layers * profile.Value("layer_us", family) + input.ExpertLayers * profile.Value("moe_layer_us", family);
        if (profile.Value("graph_limit") is > 0 and var limit && input.ContextTokens > limit)
            launches += input.Layers * profile.Value("eager_layer_us");
        var exchange = parallel > 1 ? 2 * input.Layers * profile.Value("allreduce_us") * Math.Log2(parallel) : (input.GpuCount - 1) * profile.Value("split_hop_us");
        var host = input.Layers * profile.Value("host_layer_us", family) + (double)input.ExpertLayers * input.Experts * profile.Value("expert_loop_us", family);

        var device = Softmax(memory, compute) + (launches + exchange) * 1e-6;
        return (Softmax(device, host * 1e-6),
        [
            new("weights", weights, $"{input.StepBytes / 1e9:0.00} GB / {parallel} / {weightRate / 1e9:0} GB/s"),
            new("kv cache", cache, $"{cacheBytes / 1e9:0.000} GB / {Math.Min(parallel, input.KeyValueHeads)} / {cacheRate / 1e9:0} GB/s"),
            new("compute", compute, "2 x active parameters x batch / matrix rate"),
            new("launches", launches * 1e-6, $"{input.Layers} layers"),
            new("exchange", exchange * 1e-6, parallel > 1 ? "2 all-reduces per layer" : "one hop per further GPU"),
            new("host", host * 1e-6, "overlaps with the GPU"),
        ]);
    }

    private static (double Seconds, ImmutableArray<SpeedTerm> Parts) PrefillTerms(SpeedInput input, SpeedProfile profile)
    {
        if (input.PromptTokens <= 0)
            return (0, []);
        var family = WeightClass.Of(input.Precision);
        var parallel = input.Parallel == ParallelMode.Tensor ? input.GpuCount : 1;
        var tokens = (double)input.PromptTokens * input.Batch;
        var rate = ComputeRate(input, profile)!.Value;
        var chunk = profile.Value("prefill_chunk") is > 0 and var size ? size : tokens;
        var chunks = Math.Ceiling(tokens / chunk);

        var products = 2 * input.ActiveParameters * tokens / parallel / rate;
        var attention = input.AttentionOperations * input.Batch / parallel / (MatrixRate(input)! * profile.Value("attention_mfu") * 1e12 ?? rate);
        // Each chunk reads the weights once; kernels that first unpack them to 16 bits also write and read the unpacked form.
        var unpacked = profile.Value("unpack_bytes", family) * input.MatrixParameters;
        var traffic = chunks * (input.DenseBytes + input.ExpertBytes + unpacked) / parallel / (input.Gpu.Bandwidth!.Value * 1e9 * profile.Value("efficiency"));
        var launches = chunks * (input.Layers * Math.Max(profile.Value("prefill_layer_us"), profile.Value("layer_us", family)) + input.ExpertLayers * profile.Value("moe_layer_us", family)) * 1e-6;

        var serial = products + traffic + attention + launches;
        var overlap = input.Parallel == ParallelMode.LayerSplit && input.GpuCount > 1 ? PipelineGain(chunks, input.GpuCount, profile.Value("pipeline_share")) : 1;
        return (serial / overlap,
        [
            new("prompt products", products, $"2 x {input.ActiveParameters / 1e9:0.00}e9 x {tokens:0} tokens / {parallel} / {rate / 1e12:0} TFLOPS"),
            new("prompt attention", attention, $"{input.AttentionOperations:0.00e0} operations"),
            new("prompt weights", traffic, $"{chunks:0} passes over the weights"),
            new("prompt launches", launches, $"{input.Layers} layers x {chunks:0} chunks"),
        ]);
    }

    /// <summary>GPUs that hold different layers work on different chunks at the same time: c chunks on n GPUs take (c + n - 1) / (c n) of the time.</summary>
    private static double PipelineGain(double chunks, int gpus, double share) => 1 + share * (chunks * gpus / (chunks + gpus - 1) - 1);

    /// <summary>Multiplications per second that the engine reaches on prompts.</summary>
    private static double? ComputeRate(SpeedInput input, SpeedProfile profile)
    {
        if (MatrixRate(input) is not { } rate)
            return null;
        var reached = rate * 1e12 * profile.Value("prefill_mfu", WeightClass.Of(input.Precision));
        // A card without the power for its matrix units clocks them down.
        return profile.Value("tflops_per_watt") is > 0 and var perWatt && input.Gpu.PowerWatts is { } watts && input.Gpu.Vendor == "NVIDIA"
            ? Softmin(reached, watts.Value * perWatt * 1e12)
            : reached;
    }

    private static double? MatrixRate(SpeedInput input)
    {
        var gpu = input.Gpu;
        if (WeightClass.ComputeRate(WeightClass.Of(input.Precision)) == RateKind.Fp8 && gpu.Rate(RateKind.Fp8) is { } fp8)
            return fp8;
        // llama.cpp's kernels accumulate in FP16, at which GeForce cards are twice as fast.
        return (input.Engine == "llama.cpp" ? gpu.Rate(RateKind.Fp16Accumulate16) : null) ?? gpu.Rate(RateKind.Fp16) ?? gpu.Rate(RateKind.Bf16);
    }

    /// <summary>Clock cycles per second of all shader clusters together: FP32 rate / (2 x FP32 lanes of a cluster). Infinite where the rate is unknown.</summary>
    private static double ClusterCycles(GpuSpec gpu)
    {
        var lanes = gpu.Architecture is "Ampere (GA100)" or "Volta" or "Turing" ? 64 : 128;
        return gpu.Vendor is "NVIDIA" or "Apple" && gpu.Rate(RateKind.Fp32) is { } fp32 ? fp32 * 1e12 / (2 * lanes) : double.PositiveInfinity;
    }

    private static double Softmin(double first, double second) => 1 / Softmax(1 / first, 1 / second);

    private static double Softmax(double first, double second)
    {
        var larger = Math.Max(first, second);
        return larger <= 0 ? 0 : larger * Math.Pow(Math.Pow(first / larger, Sharpness) + Math.Pow(second / larger, Sharpness), 1 / Sharpness);
    }

    private static SpeedResult Bounded(SpeedInput input, SpeedProfile profile, double expected, string spreadName, ImmutableArray<SpeedTerm> terms)
    {
        var spread = profile.Value(spreadName) + (input.EngineVersion is null ? CurrentEngine : 0);
        var notes = ImmutableArray.CreateBuilder<string>();
        foreach (var kind in KindsOf(input).Where(kind => !profile.Measured.Contains(kind)))
        {
            spread += UnmeasuredKind;
            notes.Add($"no measurements of {kind} on {input.Engine}: bounds are wider");
        }
        if (!profile.Architectures.Contains(input.Gpu.Architecture ?? ""))
        {
            spread += UnmeasuredArchitecture;
            notes.Add($"no measurements of {input.Engine} on {input.Gpu.Architecture ?? input.Gpu.Name}: bounds are wider");
        }
        var factor = Math.Exp(spread);
        return new(new(expected / factor, expected, expected * factor) { Terms = terms, Notes = notes.ToImmutable() }, null);
    }
}
