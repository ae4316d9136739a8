using Plimsoll.Planning.Gpus;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>The GPUs of this machine: asked of NVML, then of the kernel, then of nvidia-smi.</summary>
public static class LocalInventory
{
    private const string KernelDevices = "/sys/class/drm";

    private const string BoardName = "/proc/device-tree/model";

    public static GpuInventory Read()
    {
        var fromLibrary = Nvml.Read();
        if (!fromLibrary.Gpus.IsEmpty)
            return fromLibrary;
        foreach (var fromKernel in (ReadOnlySpan<GpuInventory>)[AmdDevices.Read(KernelDevices), IntegratedGpus.Jetson(BoardName), IntegratedGpus.Apple(IntegratedGpus.AppleProcessor())])
        {
            if (!fromKernel.Gpus.IsEmpty)
                return fromKernel;
        }
        try
        {
            var fromTool = NvidiaSmiReport.Parse(LocalGpus.Query("-q -x"));
            return fromTool with { Problems = fromLibrary.Problems, IsBroken = fromLibrary.IsBroken };
        }
        catch (LocalGpuException failure)
        {
            return GpuInventory.Missing([.. fromLibrary.Problems, failure.Message]) with { IsBroken = fromLibrary.IsBroken };
        }
    }
}
