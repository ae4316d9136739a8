using Plimsoll.Testing.Builders;

namespace Plimsoll.Checkpoints.Tests;

public class LocateAllTests
{
    private static readonly byte[] File = SafetensorsBuilder.File([new StoredTensor("a", "F32", 2)]);

    [Fact]
    public void Loose_files_are_a_checkpoint_each()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.safetensors", File);
        folder.Write("b.safetensors", File);
        folder.Write("notes.bin", "text");
        folder.Write("x.gguf", GgufBuilder.Valid().File(GgufBuilder.ValidDataBytes));
        Assert.Equal(["a.safetensors", "b.safetensors", "x.gguf"], Checkpoint.LocateAll(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Files_with_a_configuration_or_numbers_are_one_checkpoint()
    {
        using var folder = new TemporaryFolder();
        folder.Write("model-00001-of-00002.safetensors", File);
        folder.Write("model-00002-of-00002.safetensors", File);
        Assert.Equal([folder.Path], Checkpoint.LocateAll(folder.Path));
        using var second = new TemporaryFolder();
        second.Write("a.safetensors", File);
        second.Write("b.safetensors", File);
        second.Write("config.json", "{}");
        Assert.Equal([second.Path], Checkpoint.LocateAll(second.Path));
    }

    [Fact]
    public void A_second_copy_in_another_layout_is_left_out()
    {
        using var folder = new TemporaryFolder();
        folder.Write("model.safetensors", File);
        folder.Write("consolidated.safetensors", File);
        folder.Write("pytorch_model.bin", "PK\x3\x4");
        Assert.Equal([folder.Path], Checkpoint.LocateAll(folder.Path));
    }
}
