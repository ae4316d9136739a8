namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Failures of CUDA and its libraries that carry no numbers, or hide the message that would.</summary>
internal sealed class LibraryCheck : IOutOfMemoryCheck
{
    public IEnumerable<Finding> Run(OutOfMemoryCase found) => found.Event.Family switch
    {
        "pytorch-masked" => [Finding(found, "masked-out-of-memory", Certainty.Medium,
            "This assertion is an out-of-memory error whose message could not be written: PyTorch asked NVML for its numbers and got none, as in MIG slices, containers and on Jetson.",
            [
                new("treat it as out of memory: nvidia-smi on the host shows how full the device is", null, "none"),
                new("with MIG: CUDA_VISIBLE_DEVICES=MIG-uuid; in containers make libnvidia-ml of the driver's version visible", null, "none"),
                .. Fixes.ForPhase(found),
            ])],
        "cublas-alloc-failed" => [Finding(found, "cublas-alloc-failed", Certainty.Low,
            "cuBLAS could not allocate its handle and workspace (8 to 70 MiB). Usually the device is full; the same error follows an index out of range in an earlier kernel.",
            [
                new("see whether the device is full (nvidia-smi); if it is, the fixes for memory apply", null, "none"),
                new("if it is not: run once with CUDA_LAUNCH_BLOCKING=1 or on the CPU, and compare token ids and labels with the sizes of the embeddings", null, "a slow run"),
            ])],
        "cuda-driver" => [Finding(found, "cuda-driver", Certainty.Low,
            "The driver's own allocation failed, which PyTorch uses with expandable segments. On Jetson and WSL it fails although memory is free.",
            [new("PYTORCH_CUDA_ALLOC_CONF=expandable_segments:False", null, "more fragmentation"), .. Fixes.ForPhase(found)])],
        "cuda" => [Finding(found, "no-numbers", Certainty.Medium,
            $"CUDA reports that memory ran out{(found.Phase == Phase.Unknown ? "" : " " + PhaseReader.Describe(found.Phase))}, without numbers. The line that it points to may be later than the one that failed.",
            [new("watch nvidia-smi while it runs: is another process there, or does this one fill the device?", null, "none"), .. Fixes.ForPhase(found)])],
        "nccl" => [Finding(found, "nccl", Certainty.Medium,
            "NCCL found no memory for its buffers: 1 to 2 GiB per process beside the model, in a device that the framework had already filled.",
            [
                new("leave room: a lower gpu_memory_utilization, or a smaller batch", null, "throughput"),
                new("NCCL_BUFFSIZE and NCCL_MAX_NCHANNELS lower", null, "slower collectives"),
            ])],
        "accelerate-dispatch" => [Finding(found, "does-not-fit-device-map", Certainty.High,
            "The quantized model did not fit the GPU: device_map put part of it on the CPU or disk, which quantized layers do not allow.",
            [
                new("free the GPU, or give it more of the model: max_memory in from_pretrained", null, "none"),
                new("a smaller quantization or model (plimsoll fit MODEL --gpu GPU)", null, "quality"),
                new("llm_int8_enable_fp32_cpu_offload=True keeps those modules in FP32 on the CPU", null, "much slower"),
            ])],
        "kernel-shared-memory" => [Look(found, "Not the GPU's memory: a Triton kernel wants more shared memory per block than the chip has.",
            [new("smaller BLOCK sizes or num_stages, or a version of the library that knows this GPU", null, "a slower kernel")])],
        "xpu-no-query" => [Look(found, "Not out of memory: the driver of this device cannot tell how much is free.",
            [new("set the amounts by hand where the program asks for them (max_memory)", null, "none")])],
        _ => [],
    };

    private static Finding Finding(OutOfMemoryCase found, string check, Certainty certainty, string message, Fix[] fixes) =>
        new(check, Severity.Cause, message, [found.Event.Quote], null, certainty, [.. fixes]);

    private static Finding Look(OutOfMemoryCase found, string message, Fix[] fixes) =>
        new("not-out-of-memory", Severity.Note, message, [found.Event.Quote], null, Certainty.High, [.. fixes]);
}
