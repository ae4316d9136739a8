using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Frameworks other than PyTorch: most state a request, some what was free, none a whole balance.</summary>
internal sealed class FrameworkCheck : IOutOfMemoryCheck
{
    private const string Preallocation = "TensorFlow and JAX take most of the device at start: let a shared one grow (TF_FORCE_GPU_ALLOW_GROWTH=true, XLA_PYTHON_CLIENT_PREALLOCATE=false)";

    public ImmutableArray<Rule> Rules =>
    [
        new("allocation-failed", "a framework could not allocate one tensor or buffer", "its message: the size, or the shape and type that give it", "TensorFlow, XLA, ONNX Runtime, CuPy, MLX, PaddlePaddle, MXNet, MindSpore, DirectML, XGBoost, RAPIDS"),
        new("program-above-device", "XLA:TPU compile permanent error, ran out of memory in memory space hbm", "used and capacity, as the compiler prints them", "OpenXLA documentation, error codes"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found) => found.Event.Family switch
    {
        "tensorflow-tensor" => [Finding(found, $"TensorFlow could not allocate one tensor, {found.Event.What}{(found.Event.Ledger.Requested is { } size ? $", which is {size}" : "")}.", TensorFlow(found))],
        "tensorflow-masked" => [Finding(found, "A tensor could not be copied to the device, which says so only in these words: most often it had no room for it.", TensorFlow(found))],
        "tensorflow-allocator" => [Finding(found, $"TensorFlow's arena had no {found.Event.Ledger.Requested} left.", TensorFlow(found))],
        "jax" => [Finding(found, $"XLA asked for {found.Event.Ledger.Requested} and the device had no such piece.",
            [
                new("rematerialization (jax.checkpoint), donated buffers (donate_argnums), a smaller batch", null, "time, or throughput"),
                new("16-bit types for what is not sensitive", null, "none that is usually noticed"),
                new(Preallocation + "; XLA_PYTHON_CLIENT_MEM_FRACTION=.95 for one that is not shared", null, "fragmentation"),
            ])],
        "tpu-compile" => [Program(found)],
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
        "paddle" => [Finding(found, $"PaddlePaddle asked for {found.Event.Ledger.Requested} and {found.Event.Ledger.Free} were free{(found.Event.Ledger.Allocated is { } held ? $", {held} being allocated" : "")}.",
            [
                new(found.Batch is > 1 and var batch ? $"a smaller batch: {batch / 2} instead of {batch}" : "a smaller batch or input", null, "throughput"),
                new("FLAGS_fraction_of_gpu_memory_to_use=0 or FLAGS_allocator_strategy=auto_growth, where others share the device", null, "fragmentation"),
                new("mixed precision (paddle.amp), recompute", null, "time"),
            ])],
        "mxnet" => [Finding(found, "MXNet's pool asked the device for more and got nothing.", [new("a smaller batch; MXNET_GPU_MEM_POOL_RESERVE larger, where the pool starves libraries", null, "throughput")])],
        "mindspore" => [Finding(found, $"MindSpore's pool had no {found.Event.Ledger.Requested?.ToString() ?? "room"} left.",
            [new("a smaller batch; recompute; a higher max_device_memory of set_context, where it is set below the device's", null, "throughput, or time")])],
        "directml" => [Finding(found, $"DirectML could not place a tensor of {found.Event.Ledger.Requested} in video memory.", [new("a smaller image, batch or model; half precision; programs closed that use the GPU", null, "less at once")])],
        "xgboost" => [Finding(found, $"XGBoost asked for {found.Event.Ledger.Requested} on the GPU and {found.Event.Ledger.Free} were free.",
            [new("QuantileDMatrix or ExtMemQuantileDMatrix instead of DMatrix; fewer bins (max_bin)", null, "a little accuracy"), new("release cuDF and CuPy memory first, or share one pool (use_rmm=True)", null, "none")])],
        "rapids" => [Finding(found, $"RAPIDS' allocator could not get {found.Event.Ledger.Requested?.ToString() ?? "more"} on the device. It calls that std::bad_alloc; the host's memory did not run out.",
            [
                new("managed memory, which overflows to the host (rmm.reinitialize(managed_memory=True)), or spilling (cudf spill)", null, "speed"),
                new("a larger pool where one is limited (initial_pool_size, maximum_pool_size); partitions with dask-cudf", null, "time"),
            ])],
        _ => [],
    };

    /// <summary>The compiler adds up all of a program, so the shortage is exact.</summary>
    private static Finding Program(OutOfMemoryCase found)
    {
        var (used, total) = (found.Event.Ledger.Allocated!.Value, found.Event.Ledger.Total!.Value);
        var missing = used - total;
        return new("program-above-device", Severity.Cause,
            $"The compiled program needs {used} of high-bandwidth memory, and the chip has {total}: {missing} too much, before anything ran.",
            [found.Event.Quote], missing.Bytes, Certainty.High,
            [
                new("rematerialization of layers (jax.checkpoint with a policy), donated buffers (donate_argnums)", null, "20 to 33 % more time per step"),
                new("a smaller batch per chip, or more chips to shard over", null, "throughput, or chips"),
                new("weights, optimizer states and KV cache in bfloat16", null, "none that is usually noticed"),
            ])
        { ShortageRounding = missing.Rounding };
    }

    private static Fix[] TensorFlow(OutOfMemoryCase found) =>
    [
        new(found.Batch is > 1 and var batch ? $"a smaller batch: {batch / 2} instead of {batch}" : "a smaller batch: the first dimension of most such tensors", found.Event.Ledger.Requested?.Bytes / 2, "throughput"),
        new("mixed precision (mixed_float16), which halves activations", found.Event.Ledger.Requested?.Bytes / 2, "none that is usually noticed"),
        new(Preallocation, null, "fragmentation"),
    ];

    private static Finding Finding(OutOfMemoryCase found, string message, Fix[] fixes) =>
        new("allocation-failed", Severity.Cause, message, [found.Event.Quote], null, Certainty.Medium, [.. fixes]);
}
