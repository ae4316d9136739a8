namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>The machine's own memory ran out, for which no GPU setting helps.</summary>
internal sealed class HostCheck : IOutOfMemoryCheck
{
    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var missing = found.Event.Ledger is { Requested: { } requested, Free: { } free } ? requested - free : (Amount?)null;
        Finding? finding = found.Event.Family switch
        {
            "ollama-host" => new("host-memory", Severity.Cause,
                $"The model needs {found.Event.Ledger.Requested} of host memory and {found.Event.Ledger.Free} are available.",
                [found.Event.Quote], missing?.Bytes, Certainty.High,
                [
                    new("a smaller quantization, a smaller model or a shorter context (num_ctx)", null, "quality, or shorter conversations"),
                    new("close other programs; a larger swap lets it load and makes it slow", null, "speed"),
                ]),
            "host-allocator" => new("host-memory", Severity.Cause,
                $"The CPU allocator failed{(found.Event.Ledger.Requested is { } size ? $" at {size}" : "")}: host memory ran out, not the GPU's.",
                [found.Event.Quote], null, Certainty.High,
                [
                    new("fewer DataLoader workers and a smaller prefetch; each worker may hold a copy of the data", null, "slower loading"),
                    new("process the input in pieces; map files instead of reading them (mmap=True, memory-mapped arrays)", null, "a little time"),
                    new("less offloaded to the host (ZeRO offload, device_map)", null, "more GPU memory"),
                ]),
            "host-killed" => new("killed", Severity.Cause,
                "The process was killed from outside (SIGKILL, exit 137 or -9). Nearly always the operating system or the container's limit did that because host memory ran out; the GPU is not involved.",
                [found.Event.Quote], null, Certainty.Medium,
                [
                    new("look at 'dmesg' for oom-kill, or at the container's or job's memory limit", null, "none"),
                    new("load one copy per machine instead of one per rank (low_cpu_mem_usage=True, mmap, safetensors)", null, "none"),
                    new("fewer DataLoader workers, a smaller prefetch, less pinned memory", null, "slower loading"),
                ]),
            _ => null,
        };
        if (finding is not null)
            yield return finding with { ShortageRounding = missing?.Rounding ?? 0 };
    }
}
