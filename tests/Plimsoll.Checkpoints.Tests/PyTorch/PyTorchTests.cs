using System.IO.Compression;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.PyTorch;
using Plimsoll.Checkpoints.Tests.Builders;
using Plimsoll.Testing.Builders;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Tests.PyTorch;

public class PyTorchTests
{
    [Fact]
    public void A_state_dict_gives_its_tensors_and_where_their_data_lies()
    {
        var file = Archive().File();
        var archive = Read(file);

        Assert.Equal(["w", "half"], archive.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([2, 3], archive.Tensors[0].Dimensions);
        Assert.Equal(NumberFormats.Fp32, archive.Tensors[0].Format);
        Assert.Equal(Enumerable.Repeat((byte)0xAA, 24), file[(int)archive.Tensors[0].Offset..][..24]);
        // The second tensor starts two elements into its storage.
        Assert.Equal([0xB2, 0xB2, 0xB3, 0xB3], file[(int)archive.Tensors[1].Offset..][..4]);
        Assert.Equal(NumberFormats.Bf16, archive.Tensors[1].Format);
        Assert.Equal("7", archive.Metadata["step"]);
    }

    [Fact]
    public void Zip64_archives_are_read() => Assert.Equal(2, Read(Archive(isZip64: true).File()).Tensors.Length);

    [Fact]
    public void Tied_tensors_share_their_place()
    {
        var pickle = new PickleBuilder().Op('}').Op('(').Text("a").Tensor("torch.FloatStorage", "0", 4, [4], [1]).Text("b").Tensor("torch.FloatStorage", "0", 4, [2, 2], [2, 1]).Op('u');
        using var folder = new TemporaryFolder();
        var checkpoint = Checkpoint.Open(folder.Write("m.pt", new ZipBuilder().Entry("m/data.pkl", pickle.Bytes()).Entry("m/data/0", new byte[16]).File()));

        Assert.Equal(2, checkpoint.Tensors.Length);
        Assert.Equal(["a"], checkpoint.DistinctTensors.Select(tensor => tensor.Name));
        Assert.Equal(16, checkpoint.StoredBytes);
    }

    [Fact]
    public void A_transposed_view_keeps_its_strides()
    {
        var tensor = Assert.Single(Read(One(new PickleBuilder().Tensor("torch.FloatStorage", "0", 6, [3, 2], [1, 3]), 24)).Tensors);

        Assert.Equal([1, 3], tensor.Strides!.Value);
        Assert.Equal(24, tensor.Bytes);
        Assert.Null(Assert.Single(Read(One(new PickleBuilder().Tensor("torch.FloatStorage", "0", 6, [1, 6], [99, 1]), 24)).Tensors).Strides);
    }

    [Fact]
    public void New_dtypes_come_as_bytes_with_a_dtype_beside_them()
    {
        // _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype)
        var pickle = new PickleBuilder().Global("torch._utils", "_rebuild_tensor_v3").Op('(')
            .Op('(').Text("storage").Global("torch.storage", "UntypedStorage").Text("0").Text("cpu").Int(8).Op('t').Op('Q')
            .Int(4).Ints(4).Ints(1).Raw(0x89).Op('N').Global("torch", "float8_e4m3fn").Op('t').Op('R');

        var tensor = Assert.Single(Read(One(pickle, 8)).Tensors);

        Assert.Equal(NumberFormats.FromSafetensorsType("F8_E4M3"), tensor.Format);
        Assert.Equal(4, tensor.Bytes);
    }

    [Fact]
    public void Parameters_and_subclasses_are_the_tensors_inside_them()
    {
        var parameter = new PickleBuilder().Global("torch._utils", "_rebuild_parameter").Op('(').Tensor("torch.HalfStorage", "0", 2, [2], [1]).Raw(0x88).Op('N').Op('t').Op('R');

        Assert.Equal(NumberFormats.Fp16, Assert.Single(Read(One(parameter, 4)).Tensors).Format);
    }

    [Fact]
    public void Tensors_stay_within_their_storage()
    {
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", 4, [5], [1]), 16, "within the 4 elements of storage '0', found elements 0 to 5");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", 4, [2, 2], [3, 1]), 16, "found elements 0 to 5");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", 4, [1], [1], offset: 4), 16, "found elements 4 to 5");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", 4, [int.MaxValue, int.MaxValue], [int.MaxValue, 1]), 16, "within the 4 elements");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", 4, [1 << 30, 1 << 30, 1 << 30], [0, 0, 0]), 16, "that fits 64 bits");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", 4, [-1], [1]), 16, "non-negative integers");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", -4, [1], [1]), 16, "a persistent id");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "0", 5, [1], [1]), 16, "20 bytes in 'm/data/0', 5 elements of FP32, found 16");
        Refuses(new PickleBuilder().Tensor("torch.FloatStorage", "1", 4, [1], [1]), 16, "an entry 'm/data/1' with a tensor's data, found none");
    }

    [Fact]
    public void Code_is_refused_by_name()
    {
        Refuses(new PickleBuilder().Global("os", "system").Text("true").Raw(0x85).Op('R'), 4, "found os.system");
        Refuses(new PickleBuilder().Global("__torch__.model", "Net").Op(')').Raw(0x81), 4, "found __torch__.model.Net");
    }

    [Fact]
    public void Archives_of_another_kind_are_refused()
    {
        Refuses(new ZipBuilder().Entry("word/document.xml", [1]).File(), "an archive of torch.save with an entry 'word/data.pkl'");
        Refuses(new ZipBuilder().File(), "a file of torch.save");
        Refuses(new ZipBuilder().Entry("m/data.pkl", [(byte)'N', (byte)'.']).Entry("m/byteorder", "big"u8.ToArray()).File(), "little-endian tensors");
        Refuses(Archive().Entry("m/data/0", [1]).File(), "every entry name once, found 'm/data/0' a second time");
        Refuses(Archive(method: 8).File(), "stored without compression, as torch.save writes it, found compression method 8");
        Refuses("some text, no archive"u8.ToArray(), "a file of torch.save: a zip archive or a pickle, found the bytes 736F6D6520746578");
        Refuses(Archive().File()[..^1], "a zip archive with an end record, found none (the file is cut off)");
    }

    [Fact]
    public void Any_cut_or_changed_byte_gives_a_result_or_the_format_exception()
    {
        foreach (var isZip64 in (bool[])[false, true])
        {
            var file = Archive(isZip64).File();
            Mutations.Check(file, file.Length, source => PyTorchReader.Read(source));
        }
        var legacy = Legacy();
        Mutations.Check(legacy, legacy.Length, source => PyTorchReader.Read(source));
    }

    [Fact]
    public void The_format_before_PyTorch_1_6_is_read()
    {
        var file = Legacy();
        var archive = Read(file);

        Assert.Equal(["a", "b", "tied"], archive.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(Enumerable.Repeat((byte)0xAA, 8), file[(int)archive.Tensors[0].Offset..][..8]);
        Assert.Equal(Enumerable.Repeat((byte)0xBB, 6), file[(int)archive.Tensors[1].Offset..][..6]);
        Assert.Equal(archive.Tensors[1].Offset, archive.Tensors[2].Offset);
        Refuses(file[..^1], "6 bytes of storage '20', found 5 bytes left");
        Refuses(new PickleBuilder().Int(1).Bytes(), "its magic number, found some other pickle");
    }

    /// <summary>The checksum in the archive's directory, which torch wrote, proves that the tensor's bytes are where the header says.</summary>
    [Theory]
    [InlineData("models/stories260k/stories260K.pt", "ckpt_model", 49, 292_801, 1_040_132)]
    [InlineData("models/llama2xs/ckpt.pt", "ckpt", 190, 870_512, 3_350_976)]
    public void Real_checkpoints_are_read_to_the_byte(string file, string folder, int tensors, long elements, long bytes)
    {
        var path = SharedData.Require(file);
        var checkpoint = Checkpoint.Open(path);

        Assert.Equal(CheckpointFormat.PyTorch, checkpoint.Format);
        Assert.Equal(tensors, checkpoint.Tensors.Length);
        Assert.Equal(elements, checkpoint.Tensors.Sum(tensor => tensor.Elements));
        Assert.Equal(bytes, checkpoint.StoredBytes);
        Assert.Equal(tensors - 1, checkpoint.DistinctTensors.Count());
        Assert.Equal("64", checkpoint.Metadata["model_args.dim"]);
        using var zip = ZipFile.OpenRead(path);
        var data = File.ReadAllBytes(path);
        // Every tensor of these files fills a storage of its own.
        var sums = zip.Entries.Where(entry => entry.FullName.StartsWith($"{folder}/data/")).Select(entry => entry.Crc32).Order();
        Assert.Equal(sums, checkpoint.DistinctTensors.Select(tensor => Crc(data.AsSpan((int)tensor.Offset, (int)tensor.Bytes))).Order());
    }

    [Fact]
    public void The_PyTorch_file_and_the_GGUF_made_from_it_hold_the_same_embedding()
    {
        var torch = Checkpoint.Open(SharedData.Require("models/stories260k/stories260K.pt"));
        var gguf = Checkpoint.Open(SharedData.Require("models/stories260k/stories260K-f32.gguf"));

        Assert.Equal(Data(torch, "model._orig_mod.tok_embeddings.weight"), Data(gguf, "token_embd.weight"));
        Assert.Equal(Data(torch, "model._orig_mod.layers.4.feed_forward.w2.weight"), Data(gguf, "blk.4.ffn_down.weight"));
        Assert.Equal(Data(torch, "model._orig_mod.norm.weight"), Data(gguf, "output_norm.weight"));

        static byte[] Data(Checkpoint checkpoint, string name)
        {
            var tensor = checkpoint.Tensors.Single(tensor => tensor.Name == name);
            return File.ReadAllBytes(tensor.File).AsSpan((int)tensor.Offset, (int)tensor.Bytes).ToArray();
        }
    }

    private static ZipBuilder Archive(bool isZip64 = false, ushort method = 0)
    {
        var pickle = new PickleBuilder().Op('}').Op('(')
            .Text("w").Tensor("torch.FloatStorage", "0", 6, [2, 3], [3, 1])
            .Text("half").Tensor("torch.BFloat16Storage", "1", 4, [2], [1], offset: 2)
            .Text("step").Int(7).Op('u');
        return new ZipBuilder { IsZip64 = isZip64, Method = method }
            .Entry("m/data.pkl", pickle.Bytes()).Entry("m/byteorder", "little"u8.ToArray())
            .Entry("m/data/0", [.. Enumerable.Repeat((byte)0xAA, 24)]).Entry("m/data/1", [0xB0, 0xB0, 0xB1, 0xB1, 0xB2, 0xB2, 0xB3, 0xB3]);
    }

    private static byte[] One(PickleBuilder pickle, int dataBytes) => new ZipBuilder().Entry("m/data.pkl", pickle.Bytes()).Entry("m/data/0", new byte[dataBytes]).File();

    private static byte[] Legacy()
    {
        byte[] magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
        var root = new PickleBuilder().Op('}').Op('(')
            .Text("a").Tensor("torch.FloatStorage", "10", 2, [2], [1], isLegacy: true)
            .Text("b").Tensor("torch.HalfStorage", "20", 3, [3], [1], isLegacy: true)
            .Text("tied").Tensor("torch.HalfStorage", "20", 3, [3], [1], isLegacy: true).Op('u');
        return
        [
            .. new PickleBuilder().Long(magic).Bytes(), .. new PickleBuilder().Int(1001).Bytes(),
            .. new PickleBuilder().Op('}').Text("little_endian").Raw(0x88).Op('s').Bytes(), .. root.Bytes(),
            .. new PickleBuilder().Op(']').Op('(').Text("10").Text("20").Op('e').Bytes(),
            .. BitConverter.GetBytes(2L), .. Enumerable.Repeat((byte)0xAA, 8), .. BitConverter.GetBytes(3L), .. Enumerable.Repeat((byte)0xBB, 6),
        ];
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }

    private static PyTorchArchive Read(byte[] file)
    {
        using var source = new PrefixByteSource("x", file, file.Length);
        return PyTorchReader.Read(source);
    }

    private static void Refuses(PickleBuilder pickle, int dataBytes, string expected) => Refuses(One(pickle, dataBytes), expected);

    private static void Refuses(byte[] file, string expected) =>
        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => Read(file)).Message);
}
