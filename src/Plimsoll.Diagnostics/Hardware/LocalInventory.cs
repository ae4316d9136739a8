using Plimsoll.Planning.Gpus;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>The GPUs of this machine: asked of NVML, then of nvidia-smi, then of the kernel.</summary>
public static class LocalInventory
{
    private const string KernelDevices = "/sys/class/drm";

    public static GpuInventory Read()
    {
        var fromLibrary = Nvml.Read();
        if (!fromLibrary.Gpus.IsEmpty)
            return fromLibrary;
        var fromKernel = AmdDevices.Read(KernelDevices);
        if (!fromKernel.Gpus.IsEmpty)
            return fromKernel;
        try
        {
            var fromTool = NvidiaSmiReport.Parse(LocalGpus.Query("-q -x"));
            return fromTool with { Problems = fromLibrary.Problems };
        }
        catch (LocalGpuException failure)
        {
            return GpuInventory.Missing([.. fromLibrary.Problems, failure.Message]);
        }
    }
}
