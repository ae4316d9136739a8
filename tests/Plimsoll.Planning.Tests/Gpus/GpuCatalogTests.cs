using System.Text;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Planning.Tests.Gpus;

public class GpuCatalogTests
{
    private const string Small = """
        { "schema": "plimsoll.gpu-catalog/1", "sources": { "shop": "the shop's page" },
          "gpus": [ { "id": "rtx-4090", "price_usd": [1799, "shop"], "rental_usd_per_hour": [[0.31, "Me", "spot", "2026-11-01", "shop"]] },
                    { "id": "card-48gb", "name": "Card 48GB", "vendor": "Acme", "memory_gib": 48, "bandwidth_gbs": 900, "tflops": { "fp16": 100 } } ] }
        """;

    [Theory]
    [InlineData("rtx-4090", "rtx-4090")]
    [InlineData("RTX4090", "rtx-4090")]
    [InlineData("4090", "rtx-4090")]
    [InlineData("NVIDIA GeForce RTX 4090", "rtx-4090")]
    [InlineData("4090 24GB", "rtx-4090")]
    [InlineData("4090D", "rtx-4090d")]
    [InlineData("H100 SXM", "h100-sxm")]
    [InlineData("h100", "h100-sxm")]
    [InlineData("NVIDIA H100 80GB HBM3", "h100-sxm")]
    [InlineData("NVIDIA H100 PCIe", "h100-pcie")]
    [InlineData("NVIDIA H20 96GB", "h20")]
    [InlineData("NVIDIA H200", "h200-sxm")]
    [InlineData("A100", "a100-80gb")]
    [InlineData("A100 80GB", "a100-80gb")]
    [InlineData("A100 40GB", "a100-40gb")]
    [InlineData("A100-SXM4-40GB", "a100-40gb")]
    [InlineData("NVIDIA A100-SXM4-80GB", "a100-80gb")]
    [InlineData("A100 PCIe 80GB", "a100-pcie-80gb")]
    [InlineData("NVIDIA A100 80GB PCIe", "a100-pcie-80gb")]
    [InlineData("Tesla V100-SXM2-32GB", "v100-32gb")]
    [InlineData("Tesla T4", "t4")]
    [InlineData("RTX 3060", "rtx-3060-12gb")]
    [InlineData("rtx 3060 8 GB", "rtx-3060-8gb")]
    [InlineData("NVIDIA GeForce RTX 3060 Laptop GPU", "rtx-3060-mobile")]
    [InlineData("RTX 6000 Ada 48GB", "rtx-6000-ada")]
    [InlineData("NVIDIA RTX 4000 SFF Ada Generation", "rtx-4000-sff-ada")]
    [InlineData("RTX A6000 48GB", "rtx-a6000")]
    [InlineData("TITAN RTX", "titan-rtx")]
    [InlineData("Titan RTX 24GB", "titan-rtx")]
    [InlineData("AMD Radeon RX 7900 XTX", "rx-7900-xtx")]
    [InlineData("AMD Instinct MI300X", "mi300x")]
    [InlineData("M2 Ultra 192GB", "m2-ultra-192gb")]
    [InlineData("Apple M3 Max", "m3-max-36gb")]
    [InlineData("M1 Max 32\u2011Core GPU 64GB", "m1-max-64gb")]
    [InlineData("M1 7\u2011Core GPU 8GB", "m1-8gb")]
    [InlineData("DGX Spark", "gb10")]
    public void Every_spelling_that_people_use_finds_its_GPU(string name, string id) => Assert.Equal(id, GpuCatalog.Default.Find(name)?.Id);

    [Theory]
    [InlineData("rtx 4900")]
    [InlineData("RTX 4090 80GB")]
    [InlineData("A100 60GB")]
    [InlineData("24GiB")]
    [InlineData("")]
    [InlineData("nvidia")]
    public void A_GPU_that_was_never_sold_is_not_found(string name) => Assert.Null(GpuCatalog.Default.Find(name));

    [Fact]
    public void An_unknown_name_is_answered_with_near_ones()
    {
        Assert.Contains("rtx-4090", GpuCatalog.Default.Suggest("rtx4900", 5));
        Assert.Contains("h100-sxm", GpuCatalog.Default.Suggest("h1000", 5));
        Assert.Empty(GpuCatalog.Default.Suggest("voodoo banshee"));
    }

    [Fact]
    public void Every_entry_is_found_by_its_own_id_and_name()
    {
        foreach (var gpu in GpuCatalog.Default.All)
        {
            Assert.Same(gpu, GpuCatalog.Default.Find(gpu.Id));
            Assert.Same(gpu, GpuCatalog.Default.Find(gpu.Name));
        }
    }

    [Fact]
    public void The_catalog_is_complete_enough_to_be_useful()
    {
        var all = GpuCatalog.Default.All.ToList();
        Assert.True(all.Count >= 200);
        Assert.True(all.Count(gpu => gpu.Bandwidth is not null) >= 200);
        Assert.True(all.Count(gpu => gpu.Rate(RateKind.Fp16) is not null) >= 200);
        Assert.True(all.Count(gpu => gpu.LaunchPriceUsd is not null) >= 200);
        Assert.True(all.Count(gpu => gpu.CheapestRental is not null) >= 15);
    }

    [Fact]
    public void Every_value_has_a_source_and_every_conflict_says_with_what()
    {
        foreach (var gpu in GpuCatalog.Default.All)
        {
            Sourced?[] figures = [gpu.LabelledGiB, gpu.ReportedMiB, gpu.UsableMiB, gpu.Bandwidth, gpu.Cores, gpu.TensorCores, gpu.PowerWatts, gpu.LaunchYear, gpu.LaunchPriceUsd, .. gpu.Rates.Values];
            foreach (var figure in figures.OfType<Sourced>())
            {
                Assert.True(figure.Source.Length > 10, $"{gpu.Id}: '{figure.Source}' is no source");
                Assert.Equal(figure.Mark == SourceMark.Conflict, figure.Note is not null);
            }
            Assert.All(gpu.RentalPrices, price => Assert.True(price.UsdPerHour > 0 && price.Source.Length > 10));
        }
    }

    [Fact]
    public void A_process_never_gets_more_than_was_sold_and_the_rates_keep_their_order()
    {
        foreach (var gpu in GpuCatalog.Default.All)
        {
            // B300: 275,040 MiB of a 288 GB label; nobody reports more than 3.5 % above the label in GiB.
            Assert.InRange(gpu.UsableMemory.InGiB / gpu.LabelledGiB.Value, 0.6, 1.035);
            if (gpu.ReportedMiB is { } reported)
                Assert.True(gpu.UsableMiB.Value < reported.Value, gpu.Id);
            if (gpu is { Vendor: "NVIDIA" } && gpu.Rate(RateKind.Fp16) is { } fp16 && gpu.Rate(RateKind.Fp8) is { } fp8)
                Assert.InRange(fp8 / fp16, 1.9, 4.6);
        }
    }

    // What torch.cuda and out-of-memory messages print as total capacity, in GiB: planning notes of public logs and threads.
    [Theory]
    [InlineData("rtx-a6000", 47.53)]
    [InlineData("rtx-2080-ti", 10.74)]
    [InlineData("rtx-3060-12gb", 11.62)]
    [InlineData("a100-40gb", 39.39)]
    [InlineData("rtx-3090", 23.58)]
    [InlineData("rtx-4090", 23.51)]
    [InlineData("a100-80gb", 79.15)]
    [InlineData("t4", 14.56)]
    public void Usable_memory_is_what_processes_were_told_to_one_percent(string id, double gibibytes) =>
        Assert.InRange(GpuCatalog.Default.Find(id)!.UsableMemory.InGiB / gibibytes, 0.99, 1.01);

    [Fact]
    public void A_file_of_the_user_changes_only_what_it_states()
    {
        var before = GpuCatalog.Default.Find("rtx-4090")!;
        var catalog = GpuCatalog.Default.Load(Stream(Small), "mine.json");
        var after = catalog.Find("rtx 4090")!;
        Assert.Equal(1799, after.LaunchPriceUsd!.Value);
        Assert.Equal("the shop's page", after.LaunchPriceUsd.Source);
        Assert.Equal(new RentalPrice(0.31, "Me", "spot", "2026-11-01", "the shop's page"), Assert.Single(after.RentalPrices));
        Assert.Equal(before.Bandwidth, after.Bandwidth);
        Assert.Equal(before.UsableMiB, after.UsableMiB);
        Assert.Equal(before.Name, after.Name);
        Assert.Equal(1600, GpuCatalog.Default.Find("rtx-4090")!.LaunchPriceUsd!.Value);
    }

    [Fact]
    public void A_file_of_the_user_adds_GPUs()
    {
        var gpu = GpuCatalog.Default.Load(Stream(Small), "mine.json").Find("card 48gb")!;
        Assert.Equal(900, gpu.Bandwidth!.Value);
        Assert.Equal("mine.json", gpu.Bandwidth.Source);
        Assert.Equal(SourceMark.Derived, gpu.UsableMiB.Mark);
        Assert.Equal(100, gpu.Rate(RateKind.Fp16));
    }

    [Theory]
    [InlineData("", "not a GPU catalog")]
    [InlineData("[]", "not a GPU catalog")]
    [InlineData("""{ "gpus": [] }""", "expected \"schema\"")]
    [InlineData("""{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "name": "x" } ] }""", "no \"id\"")]
    [InlineData("""{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "x" } ] }""", "\"memory_gib\" is missing")]
    [InlineData("""{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "x", "memory_gib": -3 } ] }""", "must be above 0")]
    [InlineData("""{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "x", "memory_gib": 3, "tflops": { "fp17": 1 } } ] }""", "unknown rate \"fp17\"")]
    [InlineData("""{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "x", "memory_gib": 3 }, { "id": "x", "memory_gib": 3 } ] }""", "twice")]
    public void A_bad_file_is_refused_with_its_name_and_the_problem(string json, string problem)
    {
        var failure = Assert.Throws<GpuCatalogFormatException>(() => GpuCatalog.Default.Load(Stream(json), "mine.json"));
        Assert.StartsWith("mine.json: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(problem, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_cut_or_changed_byte_gives_a_catalog_or_the_one_exception()
    {
        var bytes = Encoding.UTF8.GetBytes(Small);
        for (var i = 0; i < bytes.Length; i++)
        {
            TryLoad(bytes[..i]);
            foreach (var wrong in new byte[] { 0, (byte)'"', (byte)'[', (byte)'-', (byte)'9', 0xff })
            {
                var changed = (byte[])bytes.Clone();
                changed[i] = wrong;
                TryLoad(changed);
            }
        }
    }

    private static void TryLoad(byte[] bytes)
    {
        try
        {
            GpuCatalog.Default.Load(new MemoryStream(bytes), "mine.json");
        }
        catch (GpuCatalogFormatException)
        {
        }
    }

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));
}
