using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Failures of drivers and their libraries that carry few numbers or hide the message that would, and what only sounds like them.</summary>
internal sealed class LibraryCheck : IOutOfMemoryCheck
{
    public ImmutableArray<Rule> Rules =>
    [
        new("masked-out-of-memory", "NVML_SUCCESS == r INTERNAL ASSERT FAILED", "the assertion", "c10/cuda/CUDACachingAllocator.cpp; pytorch issues 112377, 122068"),
        new("library-alloc-failed", "CUBLAS_STATUS_ALLOC_FAILED and the like", "the status; the certainty is low, because a kernel's fault shows the same way", "cuBLAS, cuDNN and ROCm documentation"),
        new("cuda-driver", "CUDA driver error: out of memory", "the message", "pytorch expandable segments (cuMemCreate)"),
        new("no-numbers", "out of memory of the driver or the framework, without a balance", "the message", "CUDA, HIP, Level Zero, OpenCL error codes"),
        new("tensorrt", "TensorRT cannot allocate", "the message with its bytes", "TensorRT defaultAllocator"),
        new("nccl", "Cuda failure 'out of memory' of NCCL", "the message", "NCCL environment variables"),
        new("does-not-fit-device-map", "some modules are dispatched on the CPU or the disk", "the message", "transformers quantizers"),
        new("no-batch-fits", "no executable batch size found", "the message", "accelerate find_executable_batch_size"),
        new("memory-pressure", "cache flushes, preempted requests, rematerialization that did not reach its goal", "the warning", "DeepSpeed, vLLM, XLA"),
        new("not-out-of-memory", "words of memory about something else", "the message", "Triton, ggml, vLLM, Intel"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found) => found.Event.Family switch
    {
        "pytorch-masked" => [Cause(found, "masked-out-of-memory", Certainty.Medium,
            "This assertion is an out-of-memory error whose message could not be written: PyTorch asked NVML for its numbers and got none, as in MIG slices, containers and on Jetson.",
            [
                new("treat it as out of memory: nvidia-smi on the host shows how full the device is", null, "none"),
                new("with MIG: CUDA_VISIBLE_DEVICES=MIG-uuid; in containers make libnvidia-ml of the driver's version visible", null, "none"),
                .. Fixes.ForPhase(found),
            ])],
        "cublas-alloc-failed" or "library-alloc-failed" => [Cause(found, "library-alloc-failed", Certainty.Low,
            $"{found.Event.Program} could not allocate its handle and workspace (8 to 70 MiB, more for convolutions). Usually the device is full; the same error follows an index out of range in an earlier kernel.",
            [
                new("see whether the device is full (nvidia-smi); if it is, the fixes for memory apply", null, "none"),
                new("if it is not: run once with CUDA_LAUNCH_BLOCKING=1 or on the CPU, and compare token ids and labels with the sizes of the embeddings", null, "a slow run"),
            ])],
        "cuda-driver" => [Cause(found, "cuda-driver", Certainty.Low,
            "The driver's own allocation failed, which PyTorch uses with expandable segments. On Jetson and WSL it fails although memory is free.",
            [new("PYTORCH_CUDA_ALLOC_CONF=expandable_segments:False", null, "more fragmentation"), .. Fixes.ForPhase(found)])],
        "cuda" or "cann" or "pytorch-hpu" => [Cause(found, "no-numbers", Certainty.Medium,
            $"{found.Event.Backend ?? "The driver"} reports that memory ran out{Where(found)}, {(found.Event.Ledger.Requested is { } size ? $"at {size}; how much was free it does not say" : "without numbers. The line that it points to may be later than the one that failed")}.",
            [new($"watch {Monitor(found.Event.Backend)} while it runs: is another process there, or does this one fill the device?", null, "none"), .. Fixes.ForPhase(found)])],
        "tensorrt" => found.Event.Recovered
            ? [Note(found, "memory-pressure", "TensorRT left out a tactic that needed more workspace than there was: the engine is built, perhaps a little slower.", [new("more room while building, or a larger workspace limit", null, "none")])]
            : [Cause(found, "tensorrt", Certainty.High, $"TensorRT could not allocate{(found.Event.Ledger.Requested is { } piece ? $" {piece} in one piece" : "")}: weights, activations and workspace of an engine are each one block.",
                [
                    new("smaller maximum shapes in the optimization profile (batch, length, resolution): they decide the size of the block", null, "a smaller largest input"),
                    new("free the framework's copy of the model before the engine is built or loaded", null, "none"),
                    new("FP16 or INT8 engines; weight streaming", null, "a little quality, or speed"),
                ])],
        "nccl" => [Cause(found, "nccl", Certainty.Medium,
            "NCCL found no memory for its buffers: 1 to 2 GiB per process beside the model, in a device that the framework had already filled.",
            [
                new("leave room: a lower gpu_memory_utilization, or a smaller batch", null, "throughput"),
                new("NCCL_BUFFSIZE and NCCL_MAX_NCHANNELS lower", null, "slower collectives"),
            ])],
        "accelerate-dispatch" => [Cause(found, "does-not-fit-device-map", Certainty.High,
            "The quantized model did not fit the GPU: device_map put part of it on the CPU or disk, which quantized layers do not allow.",
            [
                new("free the GPU, or give it more of the model: max_memory in from_pretrained", null, "none"),
                new("a smaller quantization or model (plimsoll fit MODEL --gpu GPU)", null, "quality"),
                new("llm_int8_enable_fp32_cpu_offload=True keeps those modules in FP32 on the CPU", null, "much slower"),
            ])],
        "accelerate-batch" => [Cause(found, "no-batch-fits", Certainty.High, "accelerate tried ever smaller batches, and not even one sample fitted: it is not the batch that is too large.", [.. Fixes.ForPhase(found)])],
        "deepspeed-pressure" => [Note(found, "memory-pressure", "PyTorch's allocator gives everything back and asks anew in every step: memory is nearly full, and each flush stops the GPU.",
            [new("a smaller batch, or get_accelerator().empty_cache() at the same step on all ranks", null, "throughput")])],
        "xla-pressure" => [Note(found, "memory-pressure", "XLA could not recompute its way below the device's memory: the compiled program needs more than there is, and fails when it runs.",
            [new("a smaller batch, jax.checkpoint, donated buffers, sharding over more devices", null, "time, or throughput")])],
        "cache-pressure" => [Note(found, "memory-pressure", "The KV cache is full: requests are interrupted and computed again. Nothing has failed, answers are slower.",
            [new("fewer sequences at once (--max-num-seqs), a higher --gpu-memory-utilization, or --kv-cache-dtype fp8", null, "throughput, or a little quality")])],
        "kernel-shared-memory" => [Note(found, "not-out-of-memory", $"Not the GPU's memory: a kernel ({found.Event.Program}) wants more shared memory, registers or threads per block than the chip has.",
            [new("smaller BLOCK sizes or num_stages, or a version of the library that knows this GPU", null, "a slower kernel")])],
        "ggml-pool" => [Note(found, "not-out-of-memory", "Not the machine's memory: a pool whose size the program computes in advance was too small, which is its error.",
            [new("a newer version of the program; a smaller batch (-b, -ub) often avoids it", null, "none")])],
        "vllm-profiling" => [Note(found, "not-out-of-memory", "Nothing ran out: more was free after vLLM had measured its need than before, because another process gave memory back meanwhile. It cannot compute its budget then.",
            [new("start it again when the other process has ended; start several engines of a GPU one after the other", null, "none")])],
        "xpu-no-query" => [Note(found, "not-out-of-memory", "Not out of memory: the driver of this device cannot tell how much is free.",
            [new("set the amounts by hand where the program asks for them (max_memory)", null, "none")])],
        _ => [],
    };

    private static string Where(OutOfMemoryCase found) => found.Phase == Phase.Unknown ? "" : " " + PhaseReader.Describe(found.Phase);

    private static string Monitor(string? backend) => backend switch { "HIP" => "amd-smi", "XPU" => "xpu-smi", "NPU" => "npu-smi info", "HPU" => "hl-smi", "MPS" or "Metal" => "Activity Monitor", _ => "nvidia-smi" };

    private static Finding Cause(OutOfMemoryCase found, string check, Certainty certainty, string message, ImmutableArray<Fix> fixes) => new(check, Severity.Cause, message, [found.Event.Quote], null, certainty, fixes);

    private static Finding Note(OutOfMemoryCase found, string check, string message, ImmutableArray<Fix> fixes) => new(check, Severity.Note, message, [found.Event.Quote], null, Certainty.High, fixes);
}
