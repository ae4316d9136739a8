using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>The machine's own memory ran out, for which no GPU setting helps.</summary>
internal sealed class HostCheck : IOutOfMemoryCheck
{
    private const string Message = "a message of the program or the operating system";

    public ImmutableArray<Rule> Rules =>
    [
        new("host-memory", "an allocator of the host failed", "its message; the size where it states one", "PyTorch alloc_cpu.cpp, NumPy, Rust, R, Go, Windows"),
        new("host-limit", "OOMKilled, oom-kill of a job", "the word of the scheduler or of the cgroup", "Linux mm/oom_kill.c, Kubernetes, Slurm"),
        new("killed", "Killed, exit code 137 or -9", Message, "signal(7): SIGKILL is 9, shells report 128 + 9"),
        new("host-heap", "Java or JavaScript heap out of memory", Message, "java.lang.OutOfMemoryError, V8"),
        new("paging-file", "the paging file is too small (1455)", Message, "Windows ERROR_COMMITMENT_LIMIT"),
        new("shared-memory", "bus error in a DataLoader worker, NCCL cannot extend /dev/shm", Message, "docker run --shm-size, 64 MB by default"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        if (found.Event.Kind != MemoryKind.Host || Explain(found) is not { } finding)
            yield break;
        var missing = found.Event.Ledger is { Requested: { } requested, Free: { } free } ? requested - free : (Amount?)null;
        yield return finding with { Severity = Severity.Cause, Evidence = [found.Event.Quote], ShortageBytes = missing is { Bytes: > 0 } ? missing?.Bytes : null, ShortageRounding = missing?.Rounding ?? 0 };
    }

    private static Finding? Explain(OutOfMemoryCase found)
    {
        var (failed, ledger) = (found.Event, found.Event.Ledger);
        var who = failed.What is { } name ? $"The process {name}" : "The process";
        var held = ledger.ThisProcess is { } resident ? $", which held {resident}," : "";
        return failed.Family switch
        {
            "ollama-host" => New("host-memory", Certainty.High, $"The model needs {ledger.Requested} of host memory and {ledger.Free} are available.",
                new("a smaller quantization, a smaller model or a shorter context (num_ctx)", null, "quality, or shorter conversations"),
                new("close other programs; a larger swap lets it load and makes it slow", null, "speed")),
            "lmstudio-guardrail" => New("host-memory", Certainty.High, "LM Studio estimated that the model with its context exceeds what this machine has left, and did not load it.",
                new("a smaller quantization, a shorter context, or fewer layers on the GPU", null, "quality, shorter conversations, or speed"),
                new("close other programs; plimsoll plan MODEL.gguf --context N computes the need", null, "none"),
                new("relax the model loading guardrails in its settings", null, "the machine may swap or stall if the estimate was right")),
            "vllm-swap" => New("host-memory", Certainty.High, $"vLLM's swap space of {ledger.Requested} for all GPUs together is most of the {ledger.Total} that the host has.",
                new Fix("--swap-space 0, or a smaller one: it is per GPU", ledger.Requested?.Bytes, "preempted requests are computed again instead of swapped")),
            "host-allocator" => New("host-memory", Certainty.High, $"An allocation of {failed.Program} failed{(ledger.Requested is { } size ? $" at {size}" : "")}: host memory ran out, not the GPU's.",
                new("fewer DataLoader workers and a smaller prefetch; each worker may hold a copy of the data", null, "slower loading"),
                new("process the input in pieces; map files instead of reading them (mmap=True, memory-mapped arrays)", null, "a little time"),
                new("less offloaded to the host (ZeRO offload, device_map); a limit of the job or container that is higher", null, "more GPU memory")),
            "host-heap" => New("host-heap", Certainty.High, $"The heap of {failed.Program} reached its limit, which is set when it starts and has nothing to do with what the machine has left.",
                new Fix(failed.Program == "Java" ? "a larger heap (-Xmx, spark.executor.memory, spark.driver.memory)" : "a larger heap (NODE_OPTIONS=--max-old-space-size=8192)", null, "host memory")),
            "host-paging-file" => New("paging-file", Certainty.High, "Windows could not promise the memory that was asked for: physical memory and paging file together are committed. Loading large checkpoints and many worker processes does this while much still looks free.",
                new("a larger paging file (System > Advanced > Performance > Virtual memory: managed by the system, or 1.5 times the model)", null, "disk space"),
                new("fewer worker processes (num_workers=0), one program at a time", null, "slower loading")),
            "host-shared-memory" => New("shared-memory", Certainty.High, "/dev/shm is full: workers pass tensors through it and NCCL its buffers, and a container gets 64 MB of it by default. Neither the host's memory nor the GPU's ran out.",
                new("docker run --shm-size=16g, or --ipc=host; in Kubernetes an emptyDir with medium: Memory at /dev/shm", null, "host memory"),
                new("fewer DataLoader workers, or torch.multiprocessing.set_sharing_strategy('file_system')", null, "slower loading")),
            "host-limit" => New("host-limit", Certainty.High, $"{who}{held} was killed because the memory limit of its container or job was met. The machine may have more.",
                new("a higher limit (Kubernetes resources.limits.memory, docker --memory, sbatch --mem)", null, "room for others"),
                new("load one copy per machine instead of one per rank (low_cpu_mem_usage=True, mmap, safetensors)", null, "none"),
                new("fewer DataLoader workers, a smaller prefetch, less pinned memory", null, "slower loading")),
            "host-evicted" => New("host-limit", Certainty.High, "Kubernetes evicted the pod because its node ran low on memory: pods that use more than they requested go first.",
                new Fix("request what the job needs (resources.requests.memory), so that it is placed where that is free", null, "fewer nodes fit")),
            "host-ray" => New("host-limit", Certainty.High, $"Ray killed the task because the memory of the host was nearly full{(ledger is { Total: { } all, Free: { } left } ? $": {all - left} of {all}" : "")}.",
                new("fewer tasks at once per node (num_cpus, memory= of the task), smaller objects in the object store", null, "throughput"),
                new("RAY_memory_usage_threshold above 0.95, where swap or headroom allows", null, "the kernel may kill instead")),
            "host-killed" => New("killed", held.Length > 0 || failed.What is not null ? Certainty.High : Certainty.Medium,
                held.Length > 0 || failed.What is not null
                    ? $"{who}{held} was killed by the operating system because host memory ran out; the GPU is not involved."
                    : "The process was killed from outside (SIGKILL, exit 137 or -9). Nearly always the operating system or the container's limit did that because host memory ran out; the GPU is not involved.",
                new("look at 'dmesg' for oom-kill, or at the container's or job's memory limit", null, "none"),
                new("load one copy per machine instead of one per rank (low_cpu_mem_usage=True, mmap, safetensors)", null, "none"),
                new("fewer DataLoader workers, a smaller prefetch, less pinned memory", null, "slower loading")),
            _ => null,
        };
    }

    private static Finding New(string check, Certainty certainty, string message, params Fix[] fixes) => new(check, Severity.Cause, message, [], null, certainty, [.. fixes]);
}
