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
        var inventory = facts.Gpus;
        if (inventory.IsBroken)
            yield return new("gpu", CheckStatus.Failed, $"A GPU or its driver does not work: {string.Join("; ", inventory.Problems)}", "restart the machine, above all after an update of the driver; if that does not help, install the driver anew", Link);
        else if (inventory.Gpus.IsEmpty)
            yield return new(
                "gpu", CheckStatus.Warning, $"No GPU is available: {string.Join("; ", inventory.Problems.DefaultIfEmpty("neither NVIDIA's driver nor amdgpu is there"))}",
                "install the driver; in a container pass the devices on (docker run --gpus all); models run on the processor without", "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html");
        foreach (var gpu in inventory.Gpus)
            yield return Describe(gpu, inventory);
    }

    private static MachineCheck Describe(GpuReading gpu, GpuInventory inventory)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"GPU {gpu.Index} {gpu.Name}");
        var facts = string.Concat(
            gpu.ComputeCapability is { } capability ? $", compute capability {capability}" : "",
            inventory.Driver is { } driver ? $", driver {driver}" : "",
            gpu.Ecc is { } ecc ? $", ECC {(ecc ? "on" : "off")}" : "",
            gpu.Mig == true ? ", MIG on" : "",
            gpu.Instances.IsEmpty ? "" : $" with {gpu.Instances.Length} {(gpu.Instances.Length == 1 ? "instance" : "instances")}: {string.Join(", ", gpu.Instances.Select(Describe))}",
            gpu.Processes.IsEmpty ? "" : $", {gpu.Processes.Length} {(gpu.Processes.Length == 1 ? "process" : "processes")}: {string.Join(", ", gpu.Processes.Select(Describe))}");
        if (gpu.TotalBytes is not { } total)
            return new("gpu", CheckStatus.Warning, $"{name}: memory not available from the driver{facts}", "with unified memory the memory of the host counts: plimsoll plan MODEL --gpu SIZE", Link);
        var use = gpu.UsedBytes is { } used ? $"{new ByteSize(used)} of {new ByteSize(total)} in use" : $"{new ByteSize(total)}, use not available";
        if (gpu.IsUnified)
            return new("gpu", CheckStatus.Ok, $"{name}: shares the memory of the host, {use}{facts}", null, null);
        if (gpu.Mig == true)
            return new("gpu", CheckStatus.Warning, $"{name}: {use}{facts}", "a process sees one instance: plan for its memory, not for the GPU's (CUDA_VISIBLE_DEVICES=MIG-uuid; nvidia-smi -L lists them)", "https://docs.nvidia.com/datacenter/tesla/mig-user-guide/");
        return gpu.UsedBytes > Full * (gpu.UsableBytes ?? total)
            ? new("gpu", CheckStatus.Warning, $"{name}: {use}{facts}", "end what holds it, or choose another GPU (CUDA_VISIBLE_DEVICES)", Link)
            : new("gpu", CheckStatus.Ok, $"{name}: {use}{facts}", null, null);
    }

    private static string Describe(GpuInstance instance) =>
        string.Create(CultureInfo.InvariantCulture, $"{instance.Index} ({(instance.TotalBytes is { } total ? $"{(instance.UsedBytes is { } used ? $"{new ByteSize(used)} of " : "")}{new ByteSize(total)}" : "memory not available")})");

    private static string Describe(GpuProcess process) =>
        string.Create(CultureInfo.InvariantCulture, $"{process.Pid} ({(process.UsedBytes is { } used ? new ByteSize(used).ToString() : "memory not available")})");
}
