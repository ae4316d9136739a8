using System.Text;
using Plimsoll.Checkpoints;
using Plimsoll.Quantization.Importance;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.Importance;

public sealed class ImportanceFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static readonly ImportanceMatrix Matrix = new()
    {
        Entries =
        [
            new("blk.0.ffn_up.weight", [1024f, 2048f, 512f], [512]),
            new("blk.0.ffn_up_exps.weight", [10f, 20f, 7f, 9f], [5, 0]),
        ],
        Datasets = ["calibration.txt"],
        Chunks = 3,
        ChunkSize = 256,
    };

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Mean_squares_are_sums_by_count_and_1_where_nothing_was_seen()
    {
        Assert.Equal([2f, 4f, 1f], Matrix.Entries[0].MeanSquares());
        Assert.Equal([2f, 4f, 1f, 1f], Matrix.Entries[1].MeanSquares());
    }

    /// <summary>The bytes are put together here, field by field, as llama.cpp's source states the format.</summary>
    [Fact]
    public void The_older_file_holds_means_times_chunks()
    {
        var path = folder.File("imatrix.dat");
        ImportanceFile.Write(path, Matrix);
        var expected = new MemoryStream();
        using (var writer = new BinaryWriter(expected))
        {
            writer.Write(2);
            Entry("blk.0.ffn_up.weight", 2, [4f, 8f, 2f]);
            Entry("blk.0.ffn_up_exps.weight", 1, [2f, 4f, 1f, 1f]);
            writer.Write(3);
            writer.Write(15);
            writer.Write(Encoding.ASCII.GetBytes("calibration.txt"));

            void Entry(string name, int chunks, float[] values)
            {
                writer.Write(name.Length);
                writer.Write(Encoding.ASCII.GetBytes(name));
                writer.Write(chunks);
                writer.Write(values.Length);
                foreach (var value in values)
                    writer.Write(value);
            }
        }
        Assert.Equal(expected.ToArray(), File.ReadAllBytes(path));

        var read = ImportanceFile.Read(path);
        Assert.Equal(Matrix.Entries.Select(entry => entry.MeanSquares()), read.Entries.Select(entry => entry.MeanSquares()));
        Assert.Equal((3, "calibration.txt"), (read.Chunks, read.Datasets.Single()));
        Assert.Equal([path], Directory.EnumerateFiles(folder.Path));
    }

    [Fact]
    public void A_GGUF_file_holds_sums_and_counts()
    {
        var path = folder.File("imatrix.gguf");
        ImportanceFile.Write(path, Matrix);
        var read = ImportanceFile.Read(path);
        Assert.Equal(Matrix.Entries.Select(entry => (entry.Name, Sums: string.Join(' ', entry.Sums), Counts: string.Join(' ', entry.Counts))),
            read.Entries.Select(entry => (entry.Name, Sums: string.Join(' ', entry.Sums), Counts: string.Join(' ', entry.Counts))));
        Assert.Equal((3, 256, "calibration.txt"), (read.Chunks, read.ChunkSize, read.Datasets.Single()));
        var tensors = Checkpoint.Open(path).Tensors;
        Assert.Equal(["blk.0.ffn_up.weight.in_sum2 1 3", "blk.0.ffn_up.weight.counts 1 1", "blk.0.ffn_up_exps.weight.in_sum2 2 2", "blk.0.ffn_up_exps.weight.counts 2 1"],
            tensors.Select(tensor => $"{tensor.Name} {string.Join(' ', tensor.Dimensions)}"));
    }

    [Fact]
    public void An_older_file_may_end_after_its_entries()
    {
        var whole = folder.File("whole.dat");
        ImportanceFile.Write(whole, Matrix);
        var read = ImportanceFile.Read(folder.Write("short.dat", File.ReadAllBytes(whole)[..^23]));
        Assert.Equal((2, null), (read.Entries.Length, read.Chunks));
    }

    [Fact]
    public void Every_cut_of_a_file_gives_only_the_format_exception()
    {
        foreach (var name in (string[])["whole.dat", "whole.gguf"])
        {
            var whole = folder.File(name);
            ImportanceFile.Write(whole, Matrix);
            var bytes = File.ReadAllBytes(whole);
            for (var length = 0; length < bytes.Length; length++)
            {
                // Where the entries of the older file end, it may end; a last padding may be missing.
                var cut = folder.Write("cut", bytes[..length]);
                if (Record.Exception(() => ImportanceFile.Read(cut)) is { } failure)
                    Assert.IsType<CheckpointFormatException>(failure);
                else
                    Assert.True(name == "whole.dat" ? length == bytes.Length - 23 : length > bytes.Length - 32, $"{name} cut to {length} bytes was read");
            }
        }
    }

    [Theory]
    [InlineData("another language model", "expected a number of entries")]
    [InlineData("\u0001\0\0\0\u00ff\u00ff\u00ff\u007f", "expected the length of the name of a tensor")]
    [InlineData("\u0001\0\0\0\u0001\0\0\0a\u0001\0\0\0\u0000\u0000\u0000\u0040", "expected the number of values of a, no more than the file holds")]
    public void Other_files_are_refused(string content, string message)
    {
        var bytes = Encoding.Latin1.GetBytes(content);
        if (bytes[0] == 'a')
            bytes[3] = 0xFF;
        var failure = Assert.Throws<CheckpointFormatException>(() => ImportanceFile.Read(folder.Write("other.dat", bytes)));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_GGUF_file_of_a_model_is_no_importance_matrix()
    {
        var failure = Assert.Throws<CheckpointFormatException>(() => ImportanceFile.Read(folder.Write("model.gguf", new TinyGguf().Usual().File())));
        Assert.Contains("expected a GGUF file of the type 'imatrix', found one ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sums_that_are_no_sums_of_squares_are_refused()
    {
        var path = folder.File("negative.gguf");
        ImportanceFile.Write(path, Matrix with { Entries = [new("blk.0.ffn_up.weight", [1f, float.NaN], [1])] });
        Assert.Contains("expected sums of squares for blk.0.ffn_up.weight", Assert.Throws<CheckpointFormatException>(() => ImportanceFile.Read(path)).Message, StringComparison.Ordinal);
    }
}
