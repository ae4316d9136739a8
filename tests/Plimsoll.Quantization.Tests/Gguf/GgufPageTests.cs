using Plimsoll.Quantization.Gguf.Architectures;

namespace Plimsoll.Quantization.Tests.Gguf;

public sealed class GgufPageTests
{
    [Fact]
    public void The_page_lists_every_architecture_with_its_model_types()
    {
        var rows = File.ReadLines(Path.Combine(Repository.Root, "docs", "gguf.md"))
            .SkipWhile(line => !line.StartsWith("| `model_type`", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToList();
        var written = GgufArchitectures.All;
        Assert.Equal(written.SelectMany(each => each.ModelTypes).Order(), rows.SelectMany(row => row[1].Split(", ")).Order());
        Assert.Equal(written.Select(each => each.Name).Order(), rows.SelectMany(row => row[2].Split(", ")).Order());
    }
}
