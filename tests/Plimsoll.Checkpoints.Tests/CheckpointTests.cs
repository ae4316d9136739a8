using System.Text;
using Plimsoll.Checkpoints.Tests.Builders;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Checkpoints.Tests;

public class CheckpointTests
{
    private const string First = "model-00001-of-00002.safetensors";
    private const string Second = "model-00002-of-00002.safetensors";

    [Fact]
    public void An_index_joins_its_shards()
    {
        using var folder = Sharded("""{"metadata":{"total_size":6},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""");
        folder.Write("config.json", "{}");

        foreach (var path in (string[])[folder.Path, folder.File("model.safetensors.index.json"), folder.File(Second)])
        {
            var checkpoint = Checkpoint.Open(path);
            Assert.Equal(["a", "b"], checkpoint.Tensors.Select(tensor => tensor.Name));
            Assert.Equal([folder.File(First), folder.File(Second)], checkpoint.Files);
            Assert.Equal(6, checkpoint.StoredBytes);
            Assert.Equal(folder.File("config.json"), checkpoint.ConfigPath);
            Assert.Empty(checkpoint.Problems);
            Assert.Equal(path, checkpoint.Path);
        }
    }

    [Fact]
    public void A_missing_shard_is_a_problem_and_the_others_are_read()
    {
        using var folder = Sharded("""{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""");
        File.Delete(folder.File(First));

        foreach (var path in (string[])[folder.Path, folder.File(Second)])
        {
            var checkpoint = Checkpoint.Open(path);
            Assert.Equal([folder.File(First)], checkpoint.MissingFiles);
            Assert.Equal(["b"], checkpoint.Tensors.Select(tensor => tensor.Name));
            Assert.Equal([$"1 of 2 files are missing: {First}"], checkpoint.Problems);
        }
    }

    [Fact]
    public void Contradictions_between_index_and_shards_are_problems()
    {
        using var folder = Sharded("""{"metadata":{"total_size":7},"weight_map":{"a":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}""");

        Assert.Equal(
            [
                $"2 tensors are not in the file where model.safetensors.index.json places them: a in {Second}, c in {First}",
                "1 tensors are not listed in model.safetensors.index.json: b",
                "model.safetensors.index.json gives a total_size of 7 bytes, the files hold 6",
            ], Checkpoint.Open(folder.Path).Problems);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../secret.safetensors"}}""", "a file beside the index for tensor 'a', found '../secret.safetensors'")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "a file beside the index")]
    [InlineData("""{"weight_map":{"a":"C:\\x"}}""", "a file beside the index")]
    [InlineData("""{"weight_map":{"a":"x","a":"y"}}""", "every tensor name once, found 'a' a second time")]
    [InlineData("""{"weight_map":{"a":1}}""", "a file name for tensor 'a', found Number")]
    [InlineData("""{"metadata":{}}""", "an object 'weight_map', found none")]
    [InlineData("""[1]""", "an object, found StartArray")]
    [InlineData("""{"weight_map":""", "an index of valid JSON")]
    public void A_bad_index_is_refused(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => ShardIndex.Parse("x", Encoding.UTF8.GetBytes(json))).Message);

    [Fact]
    public void Any_cut_or_changed_byte_of_an_index_gives_a_result_or_the_format_exception()
    {
        var json = """{"metadata":{"total_size":1.5e1,"x":[]},"weight_map":{"a":"x.safetensors","b\n":"y"},"other":{}}"""u8.ToArray();

        Mutations.Check(json, json.Length, source =>
        {
            var bytes = new byte[source.Length!.Value];
            source.Read(0, bytes);
            ShardIndex.Parse("x", bytes);
        });
    }

    [Fact]
    public void A_real_index_is_read()
    {
        var index = ShardIndex.Read(SharedData.Require("configs/qwen-vl-chat-int4-gptq/model.safetensors.index.json"));

        Assert.Equal(9_731_786_240, index.TotalSize);
        Assert.Equal(5, index.Files.Length);
        Assert.Equal("model-00005-of-00005.safetensors", index.WeightMap["lm_head.weight"]);

        var checkpoint = Checkpoint.Open(SharedData.Require("configs/qwen-vl-chat-int4-gptq"));
        Assert.Equal(5, checkpoint.MissingFiles.Length);
        Assert.Empty(checkpoint.Tensors);
    }

    [Fact]
    public void The_model_file_is_not_counted_together_with_other_layouts_of_the_same_weights()
    {
        using var folder = new TemporaryFolder();
        folder.Write("consolidated.safetensors", SafetensorsBuilder.ValidFile());
        Assert.Equal(2, Checkpoint.Open(folder.Path).Tensors.Length);
        folder.Write("model.safetensors", SafetensorsBuilder.ValidFile());

        Assert.Equal([folder.File("model.safetensors")], Checkpoint.Open(folder.Path).Files);
    }

    [Fact]
    public void Tensors_that_are_in_several_files_count_once()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.safetensors", SafetensorsBuilder.ValidFile());
        folder.Write("b.safetensors", SafetensorsBuilder.ValidFile());

        var checkpoint = Checkpoint.Open(folder.Path);

        Assert.Equal(2, checkpoint.Tensors.Length);
        Assert.Equal(["2 tensors are in several files, of which the first counts: a in a.safetensors and b.safetensors, b in a.safetensors and b.safetensors"], checkpoint.Problems);
    }

    [Fact]
    public void Any_file_of_a_split_GGUF_opens_the_whole()
    {
        using var folder = SplitGguf();

        foreach (var path in (string[])[folder.Path, folder.File("m-00001-of-00002.gguf"), folder.File("m-00002-of-00002.gguf")])
        {
            var checkpoint = Checkpoint.Open(path);
            Assert.Equal(CheckpointFormat.Gguf, checkpoint.Format);
            Assert.Equal(["a", "b"], checkpoint.Tensors.Select(tensor => tensor.Name));
            Assert.Equal("llama", checkpoint.Gguf!.String("general.architecture"));
            Assert.Empty(checkpoint.Problems);
        }
    }

    [Fact]
    public void Splits_that_contradict_each_other_are_problems()
    {
        using var folder = SplitGguf();
        File.Move(folder.File("m-00002-of-00002.gguf"), folder.File("n-00001-of-00002.gguf"));
        folder.Write("n-00002-of-00002.gguf", Split(1, 3, "c"));
        folder.Write("alone.gguf", Split(1, 3, "c"));

        Assert.Equal(["1 of 2 files are missing: m-00002-of-00002.gguf"], Checkpoint.Open(folder.File("m-00001-of-00002.gguf")).Problems);
        Assert.Equal(["n-00001-of-00002.gguf says that it is part 2, its name says 1", "n-00002-of-00002.gguf says that there are 3 parts, its name says 2"],
            Checkpoint.Open(folder.File("n-00001-of-00002.gguf")).Problems);
        Assert.Equal(["alone.gguf says that it is part 2 of 3; without '-00002-of-00003' in its name the others cannot be found"], Checkpoint.Open(folder.File("alone.gguf")).Problems);
    }

    [Fact]
    public void Several_GGUFs_in_a_folder_are_several_checkpoints()
    {
        using var folder = SplitGguf();
        folder.Write("other.gguf", new GgufBuilder().Tensor("t", 0, 0, 1).File(4));

        Assert.Equal([1, 2], Checkpoint.FindAll(folder.Path).Select(checkpoint => checkpoint.Files.Length).Order());
        Assert.Contains("expected one checkpoint, found 2 GGUF files; name one of them: m-00001-of-00002.gguf, other.gguf",
            Assert.Throws<CheckpointFormatException>(() => Checkpoint.Open(folder.Path)).Message);
    }

    [Fact]
    public void Bin_shards_are_joined()
    {
        using var folder = new TemporaryFolder();
        folder.Write("pytorch_model-00001-of-00002.bin", Bin("a"));
        folder.Write("pytorch_model-00002-of-00002.bin", Bin("b"));
        folder.Write("training_args.bin", "not read");

        Assert.Equal(["a", "b"], Checkpoint.Open(folder.Path).Tensors.Select(tensor => tensor.Name));
        folder.Write("pytorch_model.bin.index.json", """{"metadata":{"total_size":8},"weight_map":{"a":"pytorch_model-00001-of-00002.bin","b":"pytorch_model-00002-of-00002.bin"}}""");
        Assert.Empty(Checkpoint.Open(folder.Path).Problems);
    }

    [Fact]
    public void The_content_decides_the_format_not_the_name()
    {
        using var folder = new TemporaryFolder();

        Assert.Equal(CheckpointFormat.Gguf, Checkpoint.Open(folder.Write("a.bin", new GgufBuilder().File(0))).Format);
        Assert.Equal(CheckpointFormat.Safetensors, Checkpoint.Open(folder.Write("b", SafetensorsBuilder.ValidFile())).Format);
        Assert.Equal(CheckpointFormat.PyTorch, Checkpoint.Open(folder.Write("c.ckpt", Bin("t"))).Format);
    }

    [Theory]
    [InlineData("m.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer: the data was not downloaded")]
    [InlineData("m.bin", "tjgg\u0001\0\0\0", "a GGML file from before GGUF")]
    [InlineData("m.gguf", "GGML0000", "the magic 'GGUF', found the bytes 47 47 4D 4C")]
    [InlineData("m.safetensors", "abc", "a safetensors file, which starts with an 8-byte header length, found 3 bytes")]
    [InlineData("m.txt", "hello world, this is text", "a safetensors, GGUF or PyTorch file, found the bytes 68656C6C6F20776F")]
    [InlineData("m.txt", "", "found an empty file")]
    public void Other_files_are_refused_with_what_they_are(string name, string content, string expected)
    {
        using var folder = new TemporaryFolder();

        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => Checkpoint.Open(folder.Write(name, content))).Message);
    }

    [Fact]
    public void What_is_not_there_is_an_environment_error()
    {
        using var folder = new TemporaryFolder();

        Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(folder.File("absent.gguf")));
        Assert.Throws<FileNotFoundException>(() => Checkpoint.Open(folder.File("absent-00001-of-00002.gguf")));
        Assert.Contains("a folder with *.safetensors, pytorch_model*.bin or *.gguf", Assert.Throws<CheckpointFormatException>(() => Checkpoint.Open(folder.Path)).Message);
        Assert.Empty(Checkpoint.Locate(folder.Path));
    }

    /// <summary>By hand: 32,000 × 8 × 2 bytes of embedding and as much of output, 4 × 8² and 3 × 8 × 32 in F16, three norms of 8 in F32.</summary>
    [Theory]
    [InlineData("fp8_weights.safetensors", 3, 9728)]
    [InlineData("fp8_weights_multi.safetensors", 3, 172_032)]
    [InlineData("overall.safetensors", 9, 168)]
    [InlineData("tensor-4d-float32.safetensors", 1, 72)]
    [InlineData("llama-2-tiny-random.gguf", 12, 1_026_144)]
    public void Real_small_files_are_read(string file, int tensors, long bytes)
    {
        var checkpoint = Checkpoint.Open(SharedData.Require($"models/tiny-random/{file}"));

        Assert.Equal(tensors, checkpoint.Tensors.Length);
        Assert.Equal(bytes, checkpoint.StoredBytes);
        Assert.Empty(checkpoint.Problems);
    }

    [Fact]
    public void A_real_file_whose_size_contradicts_its_header_is_refused() =>
        Assert.EndsWith("tiny.safetensors: at byte 83: expected 32,768 bytes of tensor data after the header, found 32,773 (something was appended)",
            Assert.Throws<CheckpointFormatException>(() => Checkpoint.Open(SharedData.Require("models/tiny-random/tiny.safetensors"))).Message);

    /// <summary>llama.cpp wrote these files, so its block sizes and ours must agree to the last byte.</summary>
    [Theory]
    [InlineData("stories260k/stories260K-f32.gguf", 48)]
    [InlineData("stories260k/stories260K-F16.gguf", 48)]
    [InlineData("stories260k/stories260K-Q4_K_M.gguf", 48)]
    [InlineData("babyllama-tok105/babyllama-tok105-f32.gguf", 48)]
    public void Real_GGUFs_end_where_their_last_tensor_ends(string file, int tensors)
    {
        var path = SharedData.Require($"models/{file}");
        var checkpoint = Checkpoint.Open(path);
        var last = checkpoint.Tensors.MaxBy(tensor => tensor.Offset)!;

        Assert.Equal(tensors, checkpoint.Tensors.Length);
        Assert.InRange(new FileInfo(path).Length - last.Offset - last.Bytes, 0, 31);
        Assert.Equal(checkpoint.Gguf!.Length("tokenizer.ggml.tokens"), checkpoint.Tensors.Single(tensor => tensor.Name == "token_embd.weight").Dimensions[0]);
    }

    [Fact]
    public void Real_vocabularies_are_read()
    {
        var paths = Directory.GetFiles(SharedData.Require("tokenizers/gguf-vocab"), "*.gguf");
        Assert.Equal(6, paths.Length);
        foreach (var metadata in paths.Select(path => Checkpoint.Open(path).Gguf!))
        {
            var tokens = metadata.Strings("tokenizer.ggml.tokens")!.ToList();
            Assert.Equal(metadata.Length("tokenizer.ggml.tokens"), tokens.Count);
            Assert.Equal(metadata.Length("tokenizer.ggml.token_type"), tokens.Count);
            Assert.True(tokens.Distinct().Count() > tokens.Count * 0.99);
        }
        Assert.Equal(30522, Checkpoint.Open(paths.Single(path => path.EndsWith("bert-bge.gguf"))).Gguf!.Length("tokenizer.ggml.tokens"));
    }

    private static TemporaryFolder Sharded(string index)
    {
        var folder = new TemporaryFolder();
        folder.Write(First, SafetensorsBuilder.File("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4));
        folder.Write(Second, SafetensorsBuilder.File("""{"b":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}""", 2));
        folder.Write("model.safetensors.index.json", index);
        return folder;
    }

    private static TemporaryFolder SplitGguf()
    {
        var folder = new TemporaryFolder();
        folder.Write("m-00001-of-00002.gguf", Split(0, 2, "a", isFirst: true));
        folder.Write("m-00002-of-00002.gguf", Split(1, 2, "b"));
        return folder;
    }

    private static byte[] Split(ushort number, ushort count, string tensor, bool isFirst = false)
    {
        var builder = new GgufBuilder().UInt16("split.no", number).UInt16("split.count", count).Key("split.tensors.count", 5, [2, 0, 0, 0]);
        if (isFirst)
            builder.Text("general.architecture", "llama");
        return builder.Tensor(tensor, 0, 0, 1).File(4);
    }

    private static byte[] Bin(string tensor) => new ZipBuilder()
        .Entry("m/data.pkl", new PickleBuilder().Op('}').Text(tensor).Tensor("torch.FloatStorage", "0", 1, [1], [1]).Op('s').Bytes()).Entry("m/data/0", new byte[4]).File();
}
