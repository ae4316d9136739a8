using System.Text.Json;

namespace Plimsoll.Architecture.Tests;

/// <summary>Facts are data, and every fact says where it comes from.</summary>
public class CatalogSourceTests
{
    /// <summary>Members of a GPU entry that name the product instead of stating a figure.</summary>
    private static readonly string[] GpuNames = ["id", "name", "vendor", "architecture", "compute_capability", "aliases", "default", "unified"];

    [Fact]
    public void Every_catalog_is_embedded_and_has_a_schema()
    {
        var projects = string.Concat(Repository.Files(".csproj").Select(Repository.Read));
        foreach (var path in Repository.Files(".json").Where(path => path.StartsWith("catalog/", StringComparison.Ordinal)))
        {
            Assert.Contains($"EmbeddedResource Include=\"../../{path}\"", projects, StringComparison.Ordinal);
            Assert.StartsWith("plimsoll.", Open(path).GetProperty("schema").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_model_has_a_source() =>
        Assert.All(Open("catalog/models.json").GetProperty("models").EnumerateArray(), model => AssertText(model, "source", model.GetProperty("id").GetString()!));

    [Fact]
    public void Every_constant_of_an_engine_has_a_source()
    {
        var constants = from engine in Open("catalog/engines.json").GetProperty("engines").EnumerateArray()
                        from version in engine.GetProperty("versions").EnumerateArray()
                        from constant in version.GetProperty("constants").EnumerateObject()
                        select (Name: $"{engine.GetProperty("id")} {version.GetProperty("since")} {constant.Name}", constant.Value);
        Assert.NotEmpty(constants);
        Assert.All(constants, constant => AssertText(constant.Value, "source", constant.Name));
    }

    [Fact]
    public void Every_constant_of_a_trainer_has_a_source()
    {
        var constants = from trainer in Open("catalog/trainers.json").GetProperty("trainers").EnumerateArray()
                        from constant in trainer.GetProperty("constants").EnumerateObject()
                        select (Name: $"{trainer.GetProperty("id")} {constant.Name}", constant.Value);
        Assert.NotEmpty(constants);
        Assert.All(constants, constant => AssertText(constant.Value, "source", constant.Name));
    }

    [Fact]
    public void Every_optimizer_has_a_source() =>
        Assert.All(Open("catalog/optimizers.json").GetProperty("optimizers").EnumerateArray(), optimizer => AssertText(optimizer, "source", optimizer.GetProperty("id").GetString()!));

    [Fact]
    public void Every_published_loss_of_quality_has_a_source() =>
        Assert.All(Open("catalog/quality.json").GetProperty("precisions").EnumerateObject(), precision => AssertText(precision.Value, "source", precision.Name));

    [Fact]
    public void Every_option_of_a_launched_tool_has_a_source()
    {
        var groups = from tool in Open("catalog/launch.json").GetProperty("tools").EnumerateArray()
                     from options in tool.GetProperty("options").EnumerateArray()
                     select (Name: $"{tool.GetProperty("id")} {options}", Options: options);
        Assert.NotEmpty(groups);
        Assert.All(groups, group => AssertText(group.Options, "source", group.Name));
    }

    [Fact]
    public void The_fitted_speeds_have_a_source() => AssertText(Open("catalog/speed.json"), "source", "catalog/speed.json");

    [Fact]
    public void Every_figure_of_a_GPU_names_a_source_of_the_list()
    {
        var catalog = Open("catalog/gpus.json");
        var sources = catalog.GetProperty("sources").EnumerateObject().Select(source => source.Name).ToHashSet();
        var figures = 0;
        foreach (var gpu in catalog.GetProperty("gpus").EnumerateArray())
        {
            foreach (var member in gpu.EnumerateObject().Where(member => !GpuNames.Contains(member.Name)))
            {
                foreach (var figure in Figures(member.Value))
                {
                    figures++;
                    var source = figure.ValueKind == JsonValueKind.Array ? figure.EnumerateArray().Last(IsSource).GetString()! : "";
                    Assert.True(sources.Contains(source), $"{gpu.GetProperty("id")}, {member.Name}: '{figure}' names no source of the list");
                }
            }
        }
        Assert.True(figures > 500, $"only {figures} figures were found");

        bool IsSource(JsonElement part) => part.ValueKind == JsonValueKind.String && sources.Contains(part.GetString()!);
    }

    /// <summary>A figure is a list that begins with a number; rates are an object of figures, rental prices a list of figures.</summary>
    private static IEnumerable<JsonElement> Figures(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Figures(member.Value)),
        JsonValueKind.Array when value.GetArrayLength() > 0 && value[0].ValueKind == JsonValueKind.Array => value.EnumerateArray().SelectMany(Figures),
        _ => [value],
    };

    private static void AssertText(JsonElement owner, string member, string what) =>
        Assert.True(owner.TryGetProperty(member, out var text) && text.GetString() is { Length: > 5 }, $"{what} has no {member}");

    private static JsonElement Open(string path) => JsonDocument.Parse(Repository.Read(path)).RootElement;
}
