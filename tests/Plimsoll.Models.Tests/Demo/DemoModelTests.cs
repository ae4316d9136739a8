using Plimsoll.Checkpoints;
using Plimsoll.Models.Demo;

namespace Plimsoll.Models.Tests.Demo;

public class DemoModelTests
{
    [Fact]
    public void It_is_an_ordinary_checkpoint()
    {
        using var cache = new TemporaryFolder();
        var located = ModelLocator.FromPath(DemoModel.Unpack(cache.Path));
        Assert.Equal(1_312_512, located.Shape.Parameters);
        Assert.Equal(located.Shape.Parameters * 2, located.Checkpoint!.StoredBytes);
        Assert.Empty(located.Checkpoint.Problems);
    }

    [Fact]
    public void Rows_are_whole_blocks_of_256() =>
        Assert.All(Open().Tensors.Where(tensor => tensor.Dimensions.Length == 2), tensor => Assert.Equal(0, tensor.Dimensions[1] % 256));

    [Fact]
    public void Unpacking_twice_gives_the_same_folder_and_writes_once()
    {
        using var cache = new TemporaryFolder();
        var folder = DemoModel.Unpack(cache.Path);
        var written = File.GetLastWriteTimeUtc(Path.Combine(folder, "model.safetensors"));
        Assert.Equal(folder, DemoModel.Unpack(cache.Path));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(folder, "model.safetensors")));
        Assert.Equal([folder], Directory.EnumerateDirectories(cache.Path));
    }

    [Fact]
    public async Task Several_processes_may_unpack_at_once()
    {
        using var cache = new TemporaryFolder();
        var folders = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => DemoModel.Unpack(cache.Path))));
        Assert.Single(folders.Distinct());
        Assert.Equal(folders.Distinct(), Directory.EnumerateDirectories(cache.Path));
    }

    [Fact]
    public void Its_texts_hold_stories_that_it_has_not_learnt()
    {
        using var cache = new TemporaryFolder();
        var folder = DemoModel.Unpack(cache.Path);
        var evaluation = Stories(DemoModel.EvaluationText);
        Assert.Equal(60, evaluation.Length);
        Assert.Empty(evaluation.Intersect(Stories(DemoModel.CalibrationText)));

        string[] Stories(string name) => File.ReadAllText(Path.Combine(folder, name)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
    }

    private static Checkpoint Open()
    {
        using var cache = new TemporaryFolder();
        return Checkpoint.Open(DemoModel.Unpack(cache.Path));
    }
}
