using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Diagnostics.Tests.OutOfMemory;

public class DiagnosisTests
{
    private const long MiB = 1L << 20;
    private const long GiB = 1L << 30;

    private static OutOfMemoryDiagnosis Of(string text, int? batch = null) => OutOfMemoryDiagnosis.Of(LogText.Parse(text), batch);

    private static Finding Cause(string text) => Of(text).Findings.First(finding => finding.Severity == Severity.Cause);

    [Theory]
    [InlineData(Messages.Torch2, "needs-more-memory")]
    [InlineData(Messages.Torch1, "fragmentation")]
    [InlineData(Messages.Capped, "memory-cap")]
    [InlineData(Messages.Crowded, "other-processes")]
    [InlineData(Messages.Paged, "paged-to-host")]
    [InlineData(Messages.InContainer, "near-miss")]
    [InlineData(Messages.Mps, "memory-cap")]
    [InlineData(Messages.VllmCache, "vllm-cache-too-small")]
    [InlineData(Messages.VllmStart, "vllm-startup")]
    [InlineData(Messages.LlamaCpp, "buffer-too-large")]
    [InlineData("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 130206.04 GiB. GPU 0 has a total capacity of 23.56 GiB of which 16.57 GiB is free.", "absurd-request")]
    [InlineData("CUDA out of memory. Tried to allocate 32.00 GiB. GPU 0 has a total capacity of 24.00 GiB of which 23.00 GiB is free.", "request-above-device")]
    [InlineData("CUDA out of memory. Tried to allocate 128.00 MiB (GPU 0; 44.99 GiB total capacity; 6.15 GiB already allocated; 37.32 GiB free; 6.15 GiB reserved in total by PyTorch)", "failed-though-free")]
    [InlineData("RuntimeError: NVML_SUCCESS == r INTERNAL ASSERT FAILED at \"../c10/cuda/CUDACachingAllocator.cpp\":830, please report a bug to PyTorch.", "masked-out-of-memory")]
    [InlineData("RuntimeError: [enforce fail at alloc_cpu.cpp:73] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 116813856768 bytes.", "host-memory")]
    [InlineData("torch.distributed.elastic.multiprocessing.api:failed (exitcode: -9) local_rank: 1 (pid: 1168) of binary: /opt/conda/bin/python", "killed")]
    [InlineData("torch.cuda.OutOfMemoryError: Allocation on device 0 would exceed allowed memory. (out of memory)\nCurrently allocated     : 9.89 GiB\nRequested               : 320.00 MiB\nDevice limit            : 11.99 GiB\nFree (according to CUDA): 0 bytes\nPyTorch limit (set by user-supplied memory fraction)\n                        : 17179869184.00 GiB", "needs-more-memory")]
    [InlineData("torch.OutOfMemoryError: Allocation on device \nGot an OOM, unloading all loaded models.", "no-numbers")]
    [InlineData("libc++abi: terminating due to uncaught exception of type std::runtime_error: [METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)", "allocation-failed")]
    [InlineData("RuntimeError: [metal::malloc] Attempting to allocate 20000000000 bytes which is greater than the maximum allowed buffer size of 14000000000 bytes.", "allocation-failed")]
    [InlineData("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Failed to allocate request for 2.00GiB (2147483648B) on device ordinal 0", "allocation-failed")]
    [InlineData("I external/local_xla/xla/stream_executor/cuda/cuda_driver.cc:1101] failed to allocate 3.90GiB (4187619328 bytes) from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory", "allocation-failed")]
    [InlineData("RuntimeError: level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)", "no-numbers")]
    [InlineData("ggml_metal_buffer_from_ptr: error: failed to allocate buffer, size =  8192.00 MiB", "buffer-too-large")]
    [InlineData("OSError: [Errno 12] Cannot allocate memory", "host-memory")]
    [InlineData("Error: llama runner process has terminated: cudaMalloc failed: out of memory", "buffer-too-large")]
    public void The_first_cause_is_the_particular_one(string text, string check) => Assert.Equal(check, Cause(text).Check);

    [Fact]
    public void The_shortage_is_what_was_asked_for_less_what_was_free()
    {
        var finding = Cause(Messages.Torch2);
        Assert.Equal(2 * GiB - 500 * MiB, finding.ShortageBytes);
        Assert.InRange(finding.ShortageRounding, 5 * MiB, 6 * MiB);
    }

    [Fact]
    public void Under_a_cap_the_shortage_is_measured_at_the_cap()
    {
        // 18.5 GiB + 500 MiB of 20 GiB are taken, so 2 GiB lack 1 GiB less 12 MiB.
        var finding = Cause(Messages.Capped);
        Assert.Equal(2 * GiB - (20 * GiB - 37 * GiB / 2 - 500 * MiB), finding.ShortageBytes);
        Assert.True(finding.Fixes[0].Enough);
    }

    [Fact]
    public void A_cap_that_is_not_the_limit_is_not_blamed()
    {
        // The cap lacks 7.8 GiB, the device 8.2 GiB: raising the cap alone would not help.
        var diagnosis = Of("RuntimeError: NPU out of memory. Tried to allocate 48.78 GiB (NPU 0; 60.96 GiB total capacity; 13.22 GiB already allocated; 13.22 GiB current active; 40.54 GiB free; 54.86 GiB allowed; 13.86 GiB reserved in total by PyTorch)");
        Assert.DoesNotContain(diagnosis.Findings, finding => finding.Check == "memory-cap");
        Assert.Equal((long)Math.Round(48.78 * GiB) - (long)Math.Round(40.54 * GiB), diagnosis.Case!.Sheet.Shortage?.Bytes);
    }

    [Fact]
    public void The_books_close()
    {
        var sheet = Of(Messages.Torch2).Case!.Sheet;
        Assert.Equal(21 * GiB - 512 * MiB, sheet.Live?.Bytes);
        Assert.Equal(GiB, sheet.OutsideAllocator?.Bytes);
        Assert.Equal(256 * MiB, sheet.Others?.Bytes);
        Assert.Equal(24 * GiB - 500 * MiB - 23 * GiB - 256 * MiB, sheet.Hidden?.Bytes);
    }

    [Fact]
    public void In_a_container_the_own_process_is_recognized_by_its_size()
    {
        var diagnosis = Of(Messages.InContainer);
        Assert.Equal(365, diagnosis.Case!.Sheet.MistakenForOther);
        Assert.Null(diagnosis.Case.Sheet.Others);
        Assert.Contains(diagnosis.Findings, finding => finding.Check == "own-process-listed");
    }

    [Fact]
    public void A_printed_hint_that_cannot_help_is_called_so()
    {
        var diagnosis = Of(Messages.Torch2);
        Assert.Contains(diagnosis.Findings, finding => finding.Check == "hint-does-not-apply");
    }

    [Theory]
    [InlineData("    loss.backward()", Phase.Backward)]
    [InlineData("  File \"/x/torch/optim/adamw.py\", line 99, in _init_group", Phase.OptimizerStep)]
    [InlineData("  File \"/x/transformers/modeling_utils.py\", line 4000, in from_pretrained", Phase.Load)]
    [InlineData("  File \"/x/transformers/generation/utils.py\", line 2215, in generate", Phase.Generation)]
    [InlineData("    return F.cross_entropy(logits, labels)", Phase.Loss)]
    [InlineData("  File \"/x/trainer.py\", line 1, in evaluation_loop", Phase.Evaluation)]
    public void The_traceback_tells_the_phase(string frame, Phase phase) =>
        Assert.Equal(phase, Of($"Traceback (most recent call last):\n  File \"train.py\", line 3, in <module>\n{frame}\n{Messages.Torch2}").Case!.Phase);

    [Fact]
    public void A_traceback_of_another_error_does_not_count() =>
        Assert.Equal(Phase.Unknown, Of($"Traceback (most recent call last):\n    loss.backward()\nValueError: x\nTraceback (most recent call last):\n{Messages.Torch2}").Case!.Phase);

    [Fact]
    public void The_next_batch_is_computed_from_the_batch_in_the_log()
    {
        var diagnosis = Of($"python train.py --per_device_train_batch_size 16\nTraceback (most recent call last):\n    loss.backward()\n{Messages.Torch2}");
        Assert.Equal(16, diagnosis.Case!.Batch);
        // 21 + 2 GiB were needed and 1.51 GiB of them missing, with 8 % to spare: 16 x 21.49 / 23 x 0.92.
        Assert.StartsWith("a smaller batch: 13 instead of 16", diagnosis.Findings[0].Fixes[0].Action, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_event_is_diagnosed_and_the_others_counted()
    {
        var diagnosis = Of($"[rank1]: {Messages.Torch2}\n[rank0]: {Messages.Crowded}");
        Assert.Equal(1, diagnosis.Case!.Event.Rank);
        Assert.Equal(2, diagnosis.Events.Length);
    }

    [Theory]
    [InlineData("triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: 98304, Hardware limit: 49152. Reducing block sizes or `num_stages` may help.")]
    [InlineData("sched_reserve: compute buffer allocation failed, retrying without pipeline parallelism")]
    public void What_only_sounds_like_it_is_not_out_of_memory(string text)
    {
        var diagnosis = Of(text);
        Assert.False(diagnosis.HasOutOfMemory);
        Assert.NotEmpty(diagnosis.Findings);
    }
}
