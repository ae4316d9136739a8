using System.Globalization;
using Plimsoll.Diagnostics.Growth;

namespace Plimsoll.Cli.Watch;

/// <summary>One figure at one moment.</summary>
internal sealed record WatchSample(string Name, string Source, MemoryLedger Ledger, long Bytes, long? CeilingBytes);

/// <summary>Takes the samples of what is watched.</summary>
internal sealed class WatchSampler(CliEnvironment environment, int? pid, int? gpu)
{
    private long? hostCeiling;

    /// <summary>Empty when the process has ended.</summary>
    /// <exception cref="CliException">At first: there is nothing to watch.</exception>
    public IReadOnlyList<WatchSample> Take(bool first)
    {
        var samples = new List<WatchSample>();
        if (pid is { } process)
        {
            var resident = environment.ResidentMemory(process);
            if (resident is null)
                return first ? throw CliException.BadInput($"there is no process {process}", "its number: pgrep -f NAME") : [];
            // What it holds and what is free: others may take of it, so it is the most that it can reach.
            hostCeiling ??= environment.AvailableMemory() is var free && free < long.MaxValue - resident.Value ? resident.Value + free : null;
            samples.Add(new(string.Create(CultureInfo.InvariantCulture, $"pid {process}"), MemorySeries.Host, MemoryLedger.Process, resident.Value, hostCeiling));
        }
        var inventory = environment.Gpus();
        foreach (var device in inventory.Gpus.Where(device => (gpu is null || device.Index == gpu) && device.UsedBytes is not null))
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"GPU {device.Index}");
            samples.Add(new(name, name, MemoryLedger.Device, device.UsedBytes!.Value, device.UsableBytes));
            if (device.Processes.FirstOrDefault(held => held.Pid == pid) is { UsedBytes: { } used })
                samples.Add(new($"{name} pid {pid}", name, MemoryLedger.Process, used, device.UsableBytes));
        }
        if (first && (samples.Count == 0 || (gpu is { } wanted && inventory.Gpus.All(device => device.Index != wanted))))
            throw CliException.Environment(
                gpu is { } missing && !inventory.Gpus.IsEmpty ? $"there is no GPU {missing}; there are {inventory.Gpus.Length}" : $"no GPU to watch: {string.Join("; ", inventory.Problems.DefaultIfEmpty("the driver does not report its memory"))}",
                "watch the memory of a process instead: plimsoll watch --pid N");
        return samples;
    }
}
