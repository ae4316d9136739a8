using System.Text.Json;

namespace Plimsoll.Cli.Tests.Gpus;

public class GpusCommandTests
{
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    [Fact]
    public void A_filtered_table_can_be_read()
    {
        Assert.Equal(0, Run("gpus", "--vendor", "nvidia", "--arch", "hopper", "--sort", "memory"));
        Golden.Match("gpus-hopper.txt", output.ToString());
    }

    [Fact]
    public void One_GPU_shows_every_value_with_its_source()
    {
        Assert.Equal(0, Run("gpus", "--show", "NVIDIA GeForce RTX 5060"));
        Golden.Match("gpus-show-rtx-5060.txt", output.ToString());
    }

    [Fact]
    public void The_JSON_answer_has_bytes_and_sources()
    {
        Assert.Equal(0, Run("gpus", "--name", "rtx 4090", "--json"));
        using var answer = JsonDocument.Parse(output.ToString());
        Assert.Equal("plimsoll.gpus/1", answer.RootElement.GetProperty("schema").GetString());
        var gpus = answer.RootElement.GetProperty("gpus").EnumerateArray().ToDictionary(gpu => gpu.GetProperty("id").GetString()!);
        Assert.Equal(["rtx-4090", "rtx-4090-laptop", "rtx-4090d"], gpus.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(25_769_803_776, gpus["rtx-4090"].GetProperty("labelled_bytes").GetInt64());
        Assert.Equal(24077L << 20, gpus["rtx-4090"].GetProperty("usable_bytes").GetInt64());
        Assert.Equal(1008, gpus["rtx-4090"].GetProperty("bandwidth_gb_per_second").GetProperty("value").GetDouble());
        Assert.Equal("derived", gpus["rtx-4090d"].GetProperty("dense_tflops").GetProperty("bf16").GetProperty("mark").GetString());
    }

    [Theory]
    [InlineData("price", "gtx-1050-ti")]
    [InlineData("year", "rtx-5050")]
    [InlineData("price-per-hour", "rtx-4060-ti-16gb")]
    [InlineData("bandwidth", "rtx-5090")]
    public void Each_sort_key_puts_the_best_first(string key, string first)
    {
        Assert.Equal(0, Run("gpus", "--name", "?tx*", "--sort", key, "--json"));
        using var answer = JsonDocument.Parse(output.ToString());
        var ids = answer.RootElement.GetProperty("gpus").EnumerateArray().Select(gpu => gpu.GetProperty("id").GetString()!).ToList();
        Assert.Equal(first, ids.First(id => id.StartsWith("rtx-", StringComparison.Ordinal) || id.StartsWith("gtx-", StringComparison.Ordinal)));
    }

    [Fact]
    public void Filters_hold_for_every_line()
    {
        Assert.Equal(0, Run("gpus", "--min-memory", "24GB", "--max-price", "2000", "--json"));
        using var answer = JsonDocument.Parse(output.ToString());
        var gpus = answer.RootElement.GetProperty("gpus").EnumerateArray().ToList();
        Assert.Contains(gpus, gpu => gpu.GetProperty("id").GetString() == "rtx-3090");
        Assert.All(gpus, gpu =>
        {
            Assert.True(gpu.GetProperty("labelled_bytes").GetInt64() >= 24L << 30);
            Assert.True(gpu.GetProperty("launch_price_usd").GetProperty("value").GetDouble() <= 2000);
        });
    }

    [Fact]
    public void Nothing_found_is_a_no()
    {
        Assert.Equal(1, Run("gpus", "--min-memory", "900GiB"));
        Assert.Equal("", output.ToString());
        Assert.Equal("plimsoll: no GPU of the catalog meets all these conditions\n", error.ToString().ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData(2, "unknown GPU 'rtx4900'; did you mean rtx-", "gpus", "--show", "rtx4900")]
    [InlineData(2, "--min-memory 'much' is not a size", "gpus", "--min-memory", "much")]
    [InlineData(2, "'color'", "gpus", "--sort", "color")]
    [InlineData(3, "--catalog /no/such/file: no such file", "gpus", "--catalog", "/no/such/file")]
    public void Mistakes_are_named(int exitCode, string message, params string[] args)
    {
        Assert.Equal(exitCode, Run(args));
        Assert.Contains(message, error.ToString(), StringComparison.Ordinal);
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public void A_catalog_of_the_user_wins_over_the_home_folder_and_both_over_the_built_in_one()
    {
        using var folder = new TemporaryFolder();
        folder.Write("config/plimsoll/gpus.json", """{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "rtx-4090", "price_usd": 1111, "year": 2023 } ] }""");
        var file = folder.Write("mine.json", """{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "rtx-4090", "price_usd": 2222 } ] }""");
        Assert.Equal(0, Run(["gpus", "--show", "4090", "--catalog", file, "--json"], name => name == "XDG_CONFIG_HOME" ? folder.File("config") : null));
        using var answer = JsonDocument.Parse(output.ToString());
        var gpu = answer.RootElement.GetProperty("gpus")[0];
        Assert.Equal(2222, gpu.GetProperty("launch_price_usd").GetProperty("value").GetDouble());
        Assert.Equal(2023, gpu.GetProperty("launch_year").GetProperty("value").GetDouble());
        Assert.Equal(1008, gpu.GetProperty("bandwidth_gb_per_second").GetProperty("value").GetDouble());
    }

    [Fact]
    public void A_broken_catalog_of_the_user_is_named_with_its_problem()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("mine.json", """{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "x", "memory_gib": 0 } ] }""");
        Assert.Equal(3, Run("gpus", "--catalog", file));
        Assert.Equal($"plimsoll: {file}: GPU x: \"memory_gib\" must be above 0, found 0\n", error.ToString().ReplaceLineEndings("\n"));
    }

    private int Run(params string[] args) => Run(args, _ => null);

    private int Run(string[] args, Func<string, string?> variable) =>
        CliApplication.Run(args, new() { Out = output, Error = error, Variable = variable });
}
