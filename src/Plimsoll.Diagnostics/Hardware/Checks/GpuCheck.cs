using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Hardware.Checks;

/// <summary>Whether there are GPUs, what they hold, and what stands in the way of using them.</summary>
internal static class GpuCheck
{
    private const string Link = "https://docs.nvidia.com/deploy/nvml-api/";

    /// <summary>Above this share the next model hardly fits.</summary>
    private const double Full = 0.9;

    public static IEnumerable<MachineCheck> Of(MachineFacts facts)
    {
        if (facts.Gpus.Gpus.IsEmpty)
        {
            yield return new(
                "gpu", CheckStatus.Warning, $"No GPU is available: {string.Join("; ", facts.Gpus.Problems.DefaultIfEmpty("neither NVIDIA's driver nor amdgpu is there"))}",
                "install the driver; in a container pass the devices on (docker run --gpus all); models run on the processor without", "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html");
            yield break;
        }
        foreach (var gpu in facts.Gpus.Gpus)
            yield return Describe(gpu, facts.Gpus);
    }

    private static MachineCheck Describe(GpuReading gpu, GpuInventory inventory)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"GPU {gpu.Index} {gpu.Name}");
        var facts = string.Concat(
            gpu.ComputeCapability is { } capability ? $", compute capability {capability}" : "",
            inventory.Driver is { } driver ? $", driver {driver}" : "",
            gpu.Ecc is { } ecc ? $", ECC {(ecc ? "on" : "off")}" : "",
            gpu.Mig == true ? ", MIG on" : "",
            gpu.Processes.IsEmpty ? "" : $", {gpu.Processes.Length} {(gpu.Processes.Length == 1 ? "process" : "processes")}: {string.Join(", ", gpu.Processes.Select(Describe))}");
        if (gpu.TotalBytes is not { } total)
            return new("gpu", CheckStatus.Warning, $"{name}: memory not available from the driver{facts}", "with unified memory the memory of the host counts: plimsoll plan MODEL --gpu SIZE", Link);
        var use = gpu.UsedBytes is { } used ? $"{new ByteSize(used)} of {new ByteSize(total)} in use" : $"{new ByteSize(total)}, use not available";
        if (gpu.UsedBytes > Full * (gpu.UsableBytes ?? total))
            return new("gpu", CheckStatus.Warning, $"{name}: {use}{facts}", "end what holds it, or choose another GPU (CUDA_VISIBLE_DEVICES)", Link);
        return gpu.Mig == true
            ? new("gpu", CheckStatus.Warning, $"{name}: {use}{facts}", "a process sees one instance: plan for its memory, not for the GPU's (nvidia-smi -L lists them)", "https://docs.nvidia.com/datacenter/tesla/mig-user-guide/")
            : new("gpu", CheckStatus.Ok, $"{name}: {use}{facts}", null, null);
    }

    private static string Describe(GpuProcess process) =>
        string.Create(CultureInfo.InvariantCulture, $"{process.Pid} ({(process.UsedBytes is { } used ? new ByteSize(used).ToString() : "memory not available")})");
}
