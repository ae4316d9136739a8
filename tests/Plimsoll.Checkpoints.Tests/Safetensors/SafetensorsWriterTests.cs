using System.Buffers.Binary;
using System.Text;
using Plimsoll.Checkpoints.Safetensors;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Tests.Safetensors;

public class SafetensorsWriterTests
{
    [Fact]
    public void A_file_is_laid_out_as_the_reference_writer_does()
    {
        var plan = SafetensorsWriter.Plan(
            [new("b", NumberFormats.Bf16, [3]), new("z", NumberFormats.Fp32, []), new("a", NumberFormats.Bf16, [2, 2]), new("c", NumberFormats.UInt8, [5])], [new("made by", "a test")]);
        // Wide elements first, then by name; the JSON padded with blanks to a multiple of eight.
        const string json = """{"__metadata__":{"format":"pt","made by":"a test"},"z":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[4,12]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[12,18]},"c":{"dtype":"U8","shape":[5],"data_offsets":[18,23]}}""";
        var padded = (json.Length + 7) / 8 * 8;

        Assert.Equal(padded, BinaryPrimitives.ReadInt64LittleEndian(plan.Header.Span));
        Assert.Equal(json.PadRight(padded), Encoding.UTF8.GetString(plan.Header.Span[8..]));
        Assert.Equal(8 + padded, plan.Places["z"]);
        Assert.Equal(8 + padded + 12, plan.Places["b"]);
        Assert.Equal(8 + padded + 23, plan.Length);
    }

    [Fact]
    public void The_reader_finds_what_the_writer_planned()
    {
        SafetensorsEntry[] entries = [new("weights \"q\" ä", NumberFormats.Fp8E4M3, [7, 3]), new("index", NumberFormats.Int64, [0, 4]), new("scale", NumberFormats.Fp32, [1])];
        var plan = SafetensorsWriter.Plan(entries, []);
        var header = SafetensorsHeader.Parse("planned", plan.Header.Span[8..], plan.Length - plan.Header.Length);

        Assert.Equal("pt", header.Metadata["format"]);
        foreach (var entry in entries)
        {
            var tensor = header.Tensors.Single(tensor => tensor.Name == entry.Name);
            Assert.Equal((entry.Format, plan.Places[entry.Name]), (tensor.Format, tensor.Offset));
            Assert.Equal(entry.Dimensions, tensor.Dimensions);
        }
    }

    [Fact]
    public void Two_tensors_of_one_name_and_types_without_a_dtype_are_refused()
    {
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Plan([new("a", NumberFormats.Fp32, [1]), new("a", NumberFormats.Fp32, [1])], []));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Plan([new("a", NumberFormats.Q8_0, [32])], []));
    }
}
