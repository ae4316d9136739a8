using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
        Assert.Equal((40, 24, 24, 16), (Unsafe.SizeOf<Nvml.MemoryV2>(), Unsafe.SizeOf<Nvml.MemoryV1>(), Unsafe.SizeOf<Nvml.ProcessInfo>(), Unsafe.SizeOf<Nvml.ProcessInfoV1>()));
        Assert.Equal(0x02000028u, Nvml.MemoryV2.CurrentVersion);
    }

    /// <summary>The bytes of the header's structures, as a driver fills them: the version with its padding, then total, reserved, free, used; process, padding, used, two instances.</summary>
    [Fact]
    public void Structures_lie_in_memory_as_the_header_says()
    {
        Span<byte> memory = stackalloc byte[40];
        BinaryPrimitives.WriteUInt32LittleEndian(memory, 0x02000028);
        for (var field = 0; field < 4; field++)
            BinaryPrimitives.WriteUInt64LittleEndian(memory[(8 + (8 * field))..], (ulong)(field + 1) << 30);
        var read = MemoryMarshal.Read<Nvml.MemoryV2>(memory);
        Assert.Equal((0x02000028u, 1ul << 30, 2ul << 30, 3ul << 30, 4ul << 30), (read.Version, read.Total, read.Reserved, read.Free, read.Used));
        Span<byte> process = stackalloc byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(process, 4711);
        BinaryPrimitives.WriteUInt64LittleEndian(process[8..], 5ul << 30);
        BinaryPrimitives.WriteUInt32LittleEndian(process[16..], uint.MaxValue);
        var told = MemoryMarshal.Read<Nvml.ProcessInfo>(process);
        Assert.Equal((4711u, 5ul << 30, uint.MaxValue), (told.Pid, told.Used, told.GpuInstance));
        Assert.Equal((4711u, 5ul << 30), (MemoryMarshal.Read<Nvml.ProcessInfoV1>(process).Pid, MemoryMarshal.Read<Nvml.ProcessInfoV1>(process).Used));
    }

    [Theory]
    [InlineData(Nvml.DriverNotLoaded, false)]
    [InlineData(Nvml.NoPermission, false)]
    [InlineData(Nvml.LibraryMismatch, true)]
    [InlineData(Nvml.GpuLost, true)]
    [InlineData(999, true)]
    public void A_missing_driver_is_not_a_broken_one(int status, bool isBroken)
    {
        Assert.Equal(isBroken, Nvml.IsBroken(status));
        Assert.NotEmpty(Nvml.Explain(status));
    }

    [Fact]
    public void Instances_of_a_divided_GPU_have_their_own_memory()
    {
        var gpu = NvidiaSmiReport.Parse(File.ReadAllText(SharedData.Require("nvidia-smi/netdata/a100-sxm4-mig.xml"))).Gpus.Single();
        Assert.Equal([(0, 19968 * MiB), (1, 19968 * MiB)], gpu.Instances.Select(instance => (instance.Index, instance.TotalBytes!.Value)));
    }

    [Fact]
    public void GPUs_that_share_the_memory_of_the_host_have_its_figures()
    {
        var (fake, silent, card) = (Reading("NVIDIA N1X", 8128 * MiB), Reading("NVIDIA GB10", null), Reading("RTX 4060", 8188 * MiB));
        var gpus = UnifiedMemory.Fill(new("NVML", null, [fake, silent, card], []), 128L << 30, 100L << 30).Gpus;
        Assert.Equal([true, true, false], gpus.Select(gpu => gpu.IsUnified));
        Assert.Equal([(128L << 30, 28L << 30), (128L << 30, 28L << 30), (8188 * MiB, 0)], gpus.Select(gpu => (gpu.TotalBytes!.Value, gpu.UsedBytes ?? 0)));
    }

    [Fact]
    public void Boards_and_Macs_are_known_by_their_names()
    {
        using var folder = new TemporaryFolder();
        folder.Write("jetson", "NVIDIA Jetson AGX Orin Developer Kit\0");
        folder.Write("other", "Raspberry Pi 5 Model B\0");
        Assert.Equal(("NVIDIA Jetson AGX Orin Developer Kit", true), (IntegratedGpus.Jetson(folder.File("jetson")).Gpus.Single().Name, IntegratedGpus.Jetson(folder.File("jetson")).Gpus.Single().IsUnified));
        Assert.Empty(IntegratedGpus.Jetson(folder.File("other")).Gpus);
        Assert.Empty(IntegratedGpus.Jetson(folder.File("none")).Gpus);
        Assert.Equal("Apple M2 Ultra", IntegratedGpus.Apple("Apple M2 Ultra").Gpus.Single().Name);
        Assert.Empty(IntegratedGpus.Apple("Intel(R) Core(TM) i9").Gpus);
        Assert.Empty(IntegratedGpus.Apple(null).Gpus);
    }

    private static GpuReading Reading(string name, long? total) => new(0, name, null, total, null, null, null, null, null, null, []);

    [Fact]
    public void A_processor_with_a_small_carve_out_shares_the_memory_of_the_host()
    {
        using var folder = new TemporaryFolder();
        folder.Write("card0/device/mem_info_vram_total", "536870912\n");
        folder.Write("card0/device/mem_info_gtt_total", "32000000000\n");
        Assert.True(AmdDevices.Read(folder.Path).Gpus.Single().IsUnified);
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
