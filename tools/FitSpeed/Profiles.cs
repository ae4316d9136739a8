using Plimsoll.Planning.Speed;

/// <param name="StartsFrom">Index of the profile whose fitted constants are the first guesses.</param>
internal sealed record ProfileTemplate(SpeedProfile Template, Parameter[] Parameters, int? StartsFrom = null)
{
    private const double FreedomNearSibling = 0.4;

    public IReadOnlyList<Parameter> From(SpeedProfile? sibling) => sibling is null ? Parameters :
    [
        .. Parameters.Select(parameter => sibling.Values.TryGetValue(parameter.Name, out var value) && parameter.Freedom > 0
            ? parameter with { Guess = value, Freedom = Math.Min(parameter.Freedom, FreedomNearSibling) }
            : parameter),
    ];
}

/// <summary>The profiles with the first guess of each constant. Units: microseconds, bytes per cluster cycle, shares.</summary>
internal static class Profiles
{
    /// <summary>In the order in which they are fitted: a profile with few rows starts from, and is held near, the engine's other version.</summary>
    public static IReadOnlyList<ProfileTemplate> All { get; } =
    [
        new(New("llama.cpp"), LlamaCpp),
        new(New("llama.cpp", vendor: "Apple"), Metal),
        new(New("transformers", before: "4.48"), Transformers),
        new(New("transformers"), Transformers, StartsFrom: 2),
        new(New("vllm"), Serving),
        new(New("vllm", before: "0.6"), [.. Serving, new("graph_limit", 8192, 0), new("eager_layer_us", 100)], StartsFrom: 4),
        new(New("sglang"), Serving),
    ];

    public static bool Belongs(Row row, SpeedProfile template, IEnumerable<SpeedProfile> all) =>
        new SpeedConstants(1, "", [.. all]).Find(row.Input.Engine, row.Input.EngineVersion, row.Input.Gpu.Vendor) == template;

    private static SpeedProfile New(string engine, string? vendor = null, string? before = null) => new(engine, vendor, before, [], [], new Dictionary<string, double>());

    private static Parameter[] LlamaCpp =>
    [
        new("efficiency", 0.9, 0.2), new("bytes_per_cycle", 7), new("f16.bytes_per_cycle", 7), new("ggml.bytes_per_cycle", 7),
        new("layer_us", 50), new("f16.layer_us", 50), new("ggml.layer_us", 50), new("fixed_us", 200), new("moe_layer_us", 60, 0),
        new("kv_efficiency", 0.5, 0), new("kv_bytes_per_cycle", 4, 0), new("split_hop_us", 100),
        new("prefill_mfu", 0.5, Max: 0.9), new("f16.prefill_mfu", 0.5, Max: 0.9), new("ggml.prefill_mfu", 0.5, Max: 0.9), new("tflops_per_watt", 0.3), new("attention_mfu", 0.3, 0),
        new("prefill_chunk", 512, 0), new("prefill_layer_us", 50, 0), new("ggml.unpack_bytes", 2), new("pipeline_share", 0.6),
    ];

    private static Parameter[] Metal =>
    [
        new("efficiency", 0.85, 0.2), new("bytes_per_cycle", 4), new("f16.bytes_per_cycle", 6, 0), new("ggml.bytes_per_cycle", 4), new("layer_us", 40, 0), new("fixed_us", 300, 0),
        new("moe_layer_us", 60, 0), new("kv_efficiency", 0.5, 0), new("kv_bytes_per_cycle", 4, 0),
        new("prefill_mfu", 0.6, Max: 0.9), new("attention_mfu", 0.3, 0), new("prefill_chunk", 512, 0), new("prefill_layer_us", 50, 0),
    ];

    private static Parameter[] Transformers =>
    [
        new("efficiency", 0.9, 0), new("bytes_per_cycle", 9), new("f16.bytes_per_cycle", 9), new("fp8.bytes_per_cycle", 5), new("int8.bytes_per_cycle", 5), new("gptq4.bytes_per_cycle", 4), new("awq4.bytes_per_cycle", 4),
        new("layer_us", 20, 0), new("fixed_us", 300, 0), new("host_layer_us", 800), new("f16.host_layer_us", 800), new("fp8.host_layer_us", 1700), new("int8.host_layer_us", 1000), new("gptq4.host_layer_us", 850), new("awq4.host_layer_us", 1100),
        new("expert_loop_us", 90), new("kv_expanded", 1, 0), new("kv_efficiency", 0.9, 0), new("kv_bytes_per_cycle", 2.5), new("awq4.kv_bytes_per_cycle", 2.5),
        new("prefill_mfu", 0.55, Max: 0.9), new("f16.prefill_mfu", 0.55, Max: 0.9), new("fp8.prefill_mfu", 0.3, Max: 0.9), new("attention_mfu", 0.3, Max: 0.8), new("split_hop_us", 300), new("prefill_layer_us", 100, 0),
    ];

    private static Parameter[] Serving =>
    [
        new("efficiency", 0.9, 0), new("bytes_per_cycle", 10), new("f16.bytes_per_cycle", 10), new("fp8.bytes_per_cycle", 10), new("int8.bytes_per_cycle", 9), new("gptq4.bytes_per_cycle", 8), new("awq4.bytes_per_cycle", 8),
        new("layer_us", 70), new("fixed_us", 500), new("moe_layer_us", 60), new("gptq4.moe_layer_us", 500), new("allreduce_us", 15),
        new("kv_efficiency", 0.9, 0), new("kv_bytes_per_cycle", 9),
        new("prefill_mfu", 0.55, Max: 0.9), new("f16.prefill_mfu", 0.6, Max: 0.9), new("fp8.prefill_mfu", 0.5, Max: 0.9), new("int8.prefill_mfu", 0.5, Max: 0.9), new("gptq4.prefill_mfu", 0.5, Max: 0.9), new("awq4.prefill_mfu", 0.5, Max: 0.9), new("attention_mfu", 0.4, Max: 0.8), new("prefill_layer_us", 70, 0),
    ];
}
