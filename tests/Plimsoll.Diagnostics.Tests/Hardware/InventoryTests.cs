using System.Runtime.CompilerServices;
using Plimsoll.Diagnostics.Hardware;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Diagnostics.Tests.Hardware;

public class InventoryTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData("telegraf/rtx-3080-v13.xml", "NVIDIA GeForce RTX 3080", 10240)]
    [InlineData("telegraf/a100-sxm4-v12.xml", "NVIDIA A100-SXM4-80GB", 81920)]
    [InlineData("telegraf/gtx-1660-ti.xml", "Graphics Device", 5912)]
    [InlineData("netdata/rtx-4090-driver-535.xml", "NVIDIA GeForce RTX 4090", 24564)]
    [InlineData("netdata/a100-sxm4-mig.xml", "NVIDIA A100-SXM4-40GB", 40960)]
    public void Reports_of_real_machines_are_read(string file, string name, long totalMiB)
    {
        var inventory = NvidiaSmiReport.Parse(File.ReadAllText(SharedData.Require($"nvidia-smi/{file}")));
        Assert.Equal((name, totalMiB * MiB), (inventory.Gpus[0].Name, inventory.Gpus[0].TotalBytes));
        Assert.False(string.IsNullOrEmpty(inventory.Driver));
    }

    [Fact]
    public void What_a_report_does_not_tell_is_unknown_and_not_zero()
    {
        var gpu = NvidiaSmiReport.Parse(
            """
            <?xml version="1.0"?><!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v13.dtd">
            <nvidia_smi_log><driver_version>580.1</driver_version><gpu id="1"><product_name>NVIDIA GB10</product_name>
            <fb_memory_usage><total>N/A</total><used>N/A</used><free>N/A</free></fb_memory_usage><ecc_mode><current_ecc>N/A</current_ecc></ecc_mode>
            <processes><process_info><pid>77</pid><used_memory>N/A</used_memory></process_info></processes></gpu></nvidia_smi_log>
            """).Gpus.Single();
        Assert.Equal((null, null, null), (gpu.TotalBytes, gpu.UsedBytes, gpu.Ecc));
        Assert.Equal(new GpuProcess(77, null), gpu.Processes.Single());
    }

    [Theory]
    [InlineData("NVIDIA-SMI has failed")]
    [InlineData("<html></html>")]
    [InlineData("<nvidia_smi_log><gpu>")]
    [InlineData("<nvidia_smi_log></gpu></nvidia_smi_log>")]
    [InlineData("<nvidia_smi_log><gpu")]
    [InlineData("</>")]
    [InlineData("<>")]
    public void Anything_else_is_no_report(string text) => Assert.Throws<LocalGpuException>(() => NvidiaSmiReport.Parse(text));

    [Fact]
    public void A_cut_report_is_refused_and_nothing_else_happens()
    {
        var whole = File.ReadAllText(SharedData.Require("nvidia-smi/netdata/a100-sxm4-mig.xml")).TrimEnd();
        for (var length = 0; length < whole.Length; length += 97)
            Assert.Throws<LocalGpuException>(() => NvidiaSmiReport.Parse(whole[..length]));
    }

    [Fact]
    public void Structures_have_the_sizes_of_the_header()
    {
        Assert.Equal((40, 24, 24), (Unsafe.SizeOf<Nvml.MemoryV2>(), Unsafe.SizeOf<Nvml.MemoryV1>(), Unsafe.SizeOf<Nvml.ProcessInfo>()));
        Assert.Equal(0x02000028u, Nvml.MemoryV2.CurrentVersion);
    }

    [Fact]
    public void The_kernel_tells_the_memory_of_AMD_GPUs()
    {
        using var folder = new TemporaryFolder();
        folder.Write("card0/device/vendor", "0x8086\n");
        folder.Write("card1/device/mem_info_vram_total", "17163091968\n");
        folder.Write("card1/device/mem_info_vram_used", "1000000000\n");
        var gpu = AmdDevices.Read(folder.Path).Gpus.Single();
        Assert.Equal((17163091968, 1000000000, 16163091968), (gpu.TotalBytes, gpu.UsedBytes, gpu.FreeBytes));
        Assert.Empty(AmdDevices.Read(folder.File("none")).Gpus);
    }
}
