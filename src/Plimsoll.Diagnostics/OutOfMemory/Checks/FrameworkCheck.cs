namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>TensorFlow, JAX, ONNX Runtime, CuPy, and other backends of PyTorch that state a request but no balance.</summary>
internal sealed class FrameworkCheck : IOutOfMemoryCheck
{
    private const string Preallocation = "TensorFlow and JAX take most of the device at start: let a shared one grow (TF_FORCE_GPU_ALLOW_GROWTH=true, XLA_PYTHON_CLIENT_PREALLOCATE=false)";

    public IEnumerable<Finding> Run(OutOfMemoryCase found) => found.Event.Family switch
    {
        "tensorflow-tensor" => [Finding(found, $"TensorFlow could not allocate one tensor, {found.Event.What}{(found.Event.Ledger.Requested is { } size ? $", which is {size}" : "")}.", TensorFlow(found))],
        "tensorflow-allocator" => [Finding(found, $"TensorFlow's arena had no {found.Event.Ledger.Requested} left.", TensorFlow(found))],
        "jax" => [Finding(found, $"XLA asked for {found.Event.Ledger.Requested} and the device had no such piece.",
            [
                new("rematerialization (jax.checkpoint), donated buffers (donate_argnums), a smaller batch", null, "time, or throughput"),
                new("16-bit types for what is not sensitive", null, "none that is usually noticed"),
                new(Preallocation + "; XLA_PYTHON_CLIENT_MEM_FRACTION=.95 for one that is not shared", null, "fragmentation"),
            ])],
        "onnxruntime" => [Finding(found, $"ONNX Runtime's arena could not grow by {found.Event.Ledger.Requested?.ToString() ?? "the requested size"}.",
            [
                new("arena_extend_strategy=kSameAsRequested: the default doubles the arena", null, "slower allocation"),
                new("a higher gpu_mem_limit of the CUDA provider, where one is set below the device's memory", null, "less for others"),
                new("a smaller batch or input; cudnn_conv_algo_search=HEURISTIC needs smaller workspaces", null, "throughput"),
            ])],
        "mlx" => [Finding(found, found.Event.Ledger.Requested is { } piece
            ? $"MLX asked for {piece} in one piece; this Mac's GPU takes at most {found.Event.Ledger.Allowed} in one buffer, whatever is free."
            : "Metal ran out of the memory that it shares with everything else.",
            [
                new("smaller pieces: a shorter prompt or a smaller prefill step (--prefill-step-size), a smaller batch", null, "a little time"),
                new("a smaller quantization; close other programs", null, "quality"),
                new("more of the machine's memory for the GPU: sudo sysctl iogpu.wired_limit_mb=N", null, "less for everything else"),
            ])],
        "cupy" => [Finding(found, $"CuPy had {found.Event.Ledger.Allocated} and could not get {found.Event.Ledger.Requested} more{(found.Event.Ledger.Allowed is { } cap ? $", under a limit of {cap}" : "")}.",
            [
                new("cupy.get_default_memory_pool().free_all_blocks() before the large step; delete intermediates", null, "none"),
                new("work in pieces", null, "a little time"),
            ])],
        _ => [],
    };

    private static Fix[] TensorFlow(OutOfMemoryCase found) =>
    [
        new(found.Batch is > 1 and var batch ? $"a smaller batch: {batch / 2} instead of {batch}" : "a smaller batch: the first dimension of most such tensors", found.Event.Ledger.Requested?.Bytes / 2, "throughput"),
        new("mixed precision (mixed_float16), which halves activations", found.Event.Ledger.Requested?.Bytes / 2, "none that is usually noticed"),
        new(Preallocation, null, "fragmentation"),
    ];

    private static Finding Finding(OutOfMemoryCase found, string message, Fix[] fixes) =>
        new("allocation-failed", Severity.Cause, message, [found.Event.Quote], null, Certainty.Medium, [.. fixes]);
}
