using Plimsoll.Numerics;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Planning.Tests.Gpus;

public class GpuSelectionTests
{
    [Theory]
    [InlineData("rtx-3090", "rtx-3090", 1)]
    [InlineData("2x rtx-3090", "rtx-3090", 2)]
    [InlineData("2xRTX 3090", "rtx-3090", 2)]
    [InlineData("8xH100", "h100-sxm", 8)]
    [InlineData("8 x H100 SXM", "h100-sxm", 8)]
    [InlineData("2x Titan RTX 24GB", "titan-rtx", 2)]
    [InlineData("4090 24GB * 4", "rtx-4090", 4)]
    [InlineData("rtx-4090 x2", "rtx-4090", 2)]
    [InlineData("2x4090", "rtx-4090", 2)]
    [InlineData("4090", "rtx-4090", 1)]
    public void A_count_may_stand_before_or_behind_the_name(string text, string id, int count)
    {
        var selection = GpuSelection.Parse(text, GpuCatalog.Default);
        Assert.Equal((id, count), (selection.Gpu.Id, selection.Count));
    }

    [Theory]
    [InlineData("24GiB", 24 * ByteSize.GiB, 1)]
    [InlineData("2x24GiB", 24 * ByteSize.GiB, 2)]
    [InlineData("24 GB", 24_000_000_000, 1)]
    [InlineData("16G", 16 * ByteSize.GiB, 1)]
    public void A_raw_size_is_a_GPU_of_which_only_the_memory_is_known(string text, long bytes, int count)
    {
        var selection = GpuSelection.Parse(text, GpuCatalog.Default);
        Assert.Equal((bytes, count), (selection.Gpu.UsableMemory.Bytes, selection.Count));
        Assert.Null(selection.Gpu.Bandwidth);
    }

    [Theory]
    [InlineData("0x rtx-3090")]
    [InlineData("999999999x rtx-3090")]
    [InlineData("0GiB")]
    [InlineData("12345")]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("2x")]
    public void What_is_neither_a_GPU_nor_a_size_is_refused(string text) =>
        Assert.Throws<UnknownGpuException>(() => GpuSelection.Parse(text, GpuCatalog.Default));

    [Fact]
    public void The_refusal_names_the_closest_GPUs()
    {
        var failure = Assert.Throws<UnknownGpuException>(() => GpuSelection.Parse("2x rtx-4900", GpuCatalog.Default));
        Assert.StartsWith("unknown GPU 'rtx-4900'; did you mean rtx-", failure.Message, StringComparison.Ordinal);
    }
}

public class LocalGpusTests
{
    [Fact]
    public void Equal_GPUs_are_grouped_and_the_driver_decides_the_memory()
    {
        var found = LocalGpus.Parse("NVIDIA A100-SXM4-80GB, 81920 MiB\nNVIDIA A100-SXM4-80GB, 81920 MiB\nNVIDIA GeForce RTX 4090, 49140 MiB\n", GpuCatalog.Default);
        Assert.Equal(["2x A100 SXM4 80GB", "RTX 4090"], found.Select(selection => selection.ToString()));
        Assert.Equal(81049, found[0].Gpu.UsableMiB.Value);
        // A card with doubled memory chips: catalog rates, driver's memory.
        Assert.Equal(1008, found[1].Gpu.Bandwidth!.Value);
        Assert.InRange(found[1].Gpu.UsableMemory.InGiB, 47, 48);
    }

    [Theory]
    [InlineData("NVIDIA GeForce RTX 4060 Ti, 16380 MiB", "rtx-4060-ti-16gb")]
    [InlineData("NVIDIA GeForce RTX 4060 Ti, 8188 MiB", "rtx-4060-ti-8gb")]
    [InlineData("NVIDIA L4, 23034 MiB", "l4")]
    [InlineData("Tesla T4, 15360 MiB", "t4")]
    [InlineData("NVIDIA H200, 143771 MiB", "h200-sxm")]
    [InlineData("NVIDIA GeForce RTX 2080 SUPER, 8192 MiB", "NVIDIA GeForce RTX 2080 SUPER")]
    public void The_reported_size_tells_which_version_of_a_card_it_is(string line, string id) =>
        Assert.Equal(id, Assert.Single(LocalGpus.Parse(line, GpuCatalog.Default)).Gpu.Id);

    [Theory]
    [InlineData("", "nvidia-smi lists no GPU")]
    [InlineData("No devices were found\n", "nvidia-smi lists no GPU; it says: No devices were found")]
    [InlineData("NVIDIA A100, [N/A]", "nvidia-smi lists no GPU; it says: NVIDIA A100, [N/A]")]
    public void A_machine_without_GPU_is_told_so(string text, string message) =>
        Assert.Equal(message, Assert.Throws<LocalGpuException>(() => LocalGpus.Parse(text, GpuCatalog.Default)).Message);
}
