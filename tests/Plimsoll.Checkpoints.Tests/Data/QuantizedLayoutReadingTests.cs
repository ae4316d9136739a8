using System.Text;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Checkpoints.Tests.Data;

/// <summary>Layers of a few weights, packed by hand as each format's description says.</summary>
public class QuantizedLayoutReadingTests
{
    private const string Symmetric = """{"quant_method":"gptq","bits":4,"group_size":-1,"sym":true}""";

    private static readonly float[] FirstRows = [-4, -3.5f, -3, -2.5f, -2, -1.5f, -1, -0.5f, 0, 1, 2, 3, 4, 5, 6, 7];

    [Theory]
    // Version 1 stores the zero point 8 as 7, version 2 as 8; a file with the wrong label is told by its zero points.
    [InlineData(0x77777777, "gptq")]
    [InlineData(0x88888888, "gptq_v2")]
    [InlineData(0x88888888, "gptq")]
    [InlineData(0x77777777, "gptq_v2")]
    public void Symmetric_GPTQ_is_read_whatever_its_label_says(uint zeros, string label)
    {
        var weights = Read(Gptq(zeros), $$"""{"quant_method":"gptq","bits":4,"group_size":-1,"sym":true,"checkpoint_format":"{{label}}"}""");

        Assert.Equal(FirstRows, weights[..16]);
    }

    [Theory]
    [InlineData("gptq", 1, 2, 16)]
    [InlineData("gptq_v2", 0, 1, 15)]
    public void Zero_points_of_GPTQ_are_counted_as_the_version_does(string label, int first, int second, int last)
    {
        // Outputs 0, 1 and 7 have the stored zero points 0, 1 and 15, which version 1 reads as 1, 2 and, the highest bit lost, 0.
        var weights = Read(Gptq(0xF6543210), $$"""{"quant_method":"gptq","bits":4,"group_size":-1,"sym":false,"checkpoint_format":"{{label}}"}""");

        Assert.Equal(0.5f * (0 - first), weights[0]);
        Assert.Equal(8 - second, weights[8]);
        Assert.Equal(8 - last % 16, weights[56]);
    }

    [Fact]
    public void The_group_of_an_input_is_the_one_in_g_idx()
    {
        var file = new TensorFile()
            .AddWords("a.qweight", [1, 8], [.. Enumerable.Repeat(0x99999999u, 8)])
            .AddWords("a.qzeros", [2, 1], [0x77777777, 0x77777777])
            .AddHalves("a.scales", [2, 8], [.. Enumerable.Repeat(1f, 8), .. Enumerable.Repeat(10f, 8)])
            .AddWords("a.g_idx", [8], [1, 0, 1, 0, 0, 1, 0, 1]);

        Assert.Equal([10, 1, 10, 1, 1, 10, 1, 10], Read(file, """{"quant_method":"gptq","bits":4,"group_size":4,"sym":true,"desc_act":true}""")[..8]);
    }

    [Fact]
    public void A_group_that_does_not_exist_is_refused()
    {
        var file = Gptq(0x77777777);
        file.Bytes("a.g_idx")[4] = 1;

        Assert.Contains("groups from 0 to 0 in tensor 'a.g_idx', found 1 for column 1", Assert.Throws<CheckpointFormatException>(() => Read(file, Symmetric)).Message);
    }

    [Fact]
    public void AWQ_takes_outputs_in_its_own_order_and_zero_points_as_they_are()
    {
        // Two inputs, eight outputs: code c and code 2c mod 16 for output c; all zero points 1; scale 2.
        var file = new TensorFile()
            .AddWords("a.qweight", [2, 1], [0x75316420, 0xEA62C840])
            .AddWords("a.qzeros", [1, 1], [0x11111111])
            .AddHalves("a.scales", [1, 8], [.. Enumerable.Repeat(2f, 8)]);

        Assert.Equal(Enumerable.Range(0, 8).SelectMany(c => (float[])[2 * (c - 1), 2 * (2 * c - 1)]), Read(file, """{"quant_method":"awq","bits":4,"group_size":-1,"zero_point":true,"version":"gemm"}"""));
    }

    [Fact]
    public void Packed_integers_have_an_offset_and_zero_points_down_the_rows()
    {
        // Two rows of eight codes; the stored zero points 8 (nothing) and 9 (one) of rows 0 and 1 share a word.
        var file = new TensorFile()
            .AddWords("a.weight_packed", [2, 1], [0x76543210, 0x88888888])
            .AddBf16("a.weight_scale", [2, 1], [1, 2])
            .Add("a.weight_shape", "I64", [2], [2, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0])
            .AddWords("a.weight_zero_point", [1, 1], [0x98]);

        Assert.Equal([-8, -7, -6, -5, -4, -3, -2, -1, -2, -2, -2, -2, -2, -2, -2, -2], Read(file, Compressed("pack-quantized", """{"num_bits":4,"type":"int","symmetric":false,"strategy":"channel"}""")));
    }

    [Theory]
    [InlineData(false, 1.5f)]
    [InlineData(true, 2.5f)]
    public void NF4_rows_may_begin_in_the_middle_of_a_byte(bool isNested, float scale)
    {
        // (3, 3): the codes 15, 7, 0 of every row, that is 1, 0, −1, the first of two in the high nibble.
        var state = Encoding.UTF8.GetBytes($$"""{"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[3,3]{{(isNested ? ",\"nested_blocksize\":256,\"nested_dtype\":\"float32\",\"nested_offset\":0.5" : "")}}}""");
        var map = new float[256];
        map[3] = 4;
        var file = new TensorFile()
            .Add("a.weight", "U8", [5, 1], [0xF7, 0x0F, 0x70, 0xF7, 0x00])
            .AddFloats("a.weight.quant_map", [16], [-1, .. new float[14], 1])
            .Add("a.weight.quant_state.bitsandbytes__nf4", "U8", [state.Length], state);
        if (isNested)
            file.Add("a.weight.absmax", "U8", [1], [3]).AddFloats("a.weight.nested_absmax", [1], [0.5f]).AddFloats("a.weight.nested_quant_map", [256], map);
        else
            file.AddFloats("a.weight.absmax", [1], [1.5f]);

        Assert.Equal([scale, 0, -scale, scale, 0, -scale, scale, 0, -scale], Read(file, """{"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"}"""));
    }

    [Fact]
    public void LLM_int8_divides_the_largest_magnitude_by_127()
    {
        var file = new TensorFile().Add("a.weight", "I8", [2, 2], [127, 0, 129, 1]).AddFloats("a.SCB", [2], [127, 254]).Add("a.weight_format", "U8", [], [0]);
        Assert.Equal([127, 0, -254, 2], Read(file, """{"quant_method":"bitsandbytes","load_in_8bit":true}"""));

        file.Bytes("a.weight_format")[0] = 2;
        Assert.Contains("a weight_format other than 0", Assert.Throws<CheckpointFormatException>(() => Read(file, """{"quant_method":"bitsandbytes","load_in_8bit":true}""")).Message);
    }

    [Theory]
    // The scale of the tensor is a divisor here and a factor there.
    [InlineData("weight_packed", "weight_global_scale", 4f)]
    [InlineData("weight", "weight_scale_2", 0.25f)]
    public void NVFP4_multiplies_code_block_scale_and_tensor_scale(string codes, string global, float value)
    {
        // Codes 1 and 10 (0.5 and −1) in turns; the block scale 0x40 is 2.
        var file = new TensorFile().Add($"a.{codes}", "U8", [1, 8], [.. Enumerable.Repeat((byte)0xA1, 8)]).Add("a.weight_scale", "F8_E4M3", [1, 1], [0x40]).AddFloats($"a.{global}", [1], [value]);
        var config = codes == "weight" ? """{"quant_method":"modelopt","quant_algo":"NVFP4","group_size":16}""" : Compressed("nvfp4-pack-quantized", """{"num_bits":4,"type":"float","strategy":"tensor_group","group_size":16}""");

        Assert.Equal(Enumerable.Range(0, 16).Select(at => at % 2 == 0 ? 0.25f : -0.5f), Read(file, config));
    }

    [Fact]
    public void The_experts_of_gpt_oss_are_read_as_one_stack()
    {
        // One expert, two rows of one block each; scales 2^0 and 2^1; codes 7 and 2 (6 and 1) in turns.
        var file = new TensorFile().Add("a.experts.down_proj_blocks", "U8", [1, 2, 1, 16], [.. Enumerable.Repeat((byte)0x27, 32)]).Add("a.experts.down_proj_scales", "U8", [1, 2, 1], [127, 128]);
        var weights = Read(file, """{"quant_method":"mxfp4"}""");

        Assert.Equal([6, 1], weights[..2]);
        Assert.Equal([12, 2], weights[32..34]);
    }

    [Fact]
    public void FP8_blocks_at_the_edges_may_be_smaller()
    {
        var codes = Enumerable.Repeat((byte)0x38, 130 * 129).ToArray();
        var file = new TensorFile().Add("a.weight", "F8_E4M3", [130, 129], codes).AddFloats("a.weight_scale_inv", [2, 2], [1, 2, 3, 4]);
        var weights = Read(file, """{"quant_method":"fp8","weight_block_size":[128,128]}""");

        Assert.Equal((1, 2, 3, 4), (weights[0], weights[128], weights[128 * 129], weights[^1]));
    }

    [Theory]
    [InlineData(new long[] { 2, 1 }, -4f)]
    [InlineData(new long[] { 1 }, -2f)]
    public void FP8_scales_of_rows_and_of_the_tensor_multiply(long[] shape, float second)
    {
        var file = new TensorFile().Add("a.weight", "F8_E4M3", [2, 1], [0x38, 0xB8]).AddBf16("a.weight_scale", shape, shape.Length == 1 ? [2] : [2, 4]);

        Assert.Equal([2, second], Read(file, Compressed("float-quantized", """{"num_bits":8,"type":"float","strategy":"channel"}""")));
    }

    [Fact]
    public void The_int4_of_torchao_has_signed_codes_and_zero_points_in_weights()
    {
        // Row 0: codes −8 and 7 in turns, scale 2, zero 1; row 1: 0, scale 1, zero 3.
        var file = new TensorFile().Add("a._weight_qdata", "U8", [2, 4], [0x78, 0x78, 0x78, 0x78, 0, 0, 0, 0]).AddBf16("a._weight_scale", [1, 2], [2, 1]).AddBf16("a._weight_zero_point", [1, 2], [1, 3]);

        Assert.Equal([-15, 15, -15, 15, -15, 15, -15, 15, 3, 3, 3, 3, 3, 3, 3, 3], Read(file, """{"quant_method":"torchao","quant_type":{"default":{"_type":"Int4WeightOnlyConfig","_data":{"group_size":8}}}}"""));
    }

    [Fact]
    public void MLX_adds_a_bias_to_each_group()
    {
        var file = new TensorFile().Add("a.weight", "U32", [1, 1], [0x10, 0x32, 0x54, 0x76]).AddBf16("a.scales", [1, 2], [1, 2]).AddBf16("a.biases", [1, 2], [-1, 0.5f]);

        Assert.Equal([-1, 0, 1, 2, 8.5f, 10.5f, 12.5f, 14.5f], Read(file, """{"quant_method":"mlx","group_size":4,"bits":4,"mode":"affine"}"""));
    }

    [Fact]
    public void A_layout_that_is_not_known_is_refused_by_name()
    {
        var file = new TensorFile().Add("a.W_q", "U8", [1, 64], new byte[64]).AddBf16("a.scale", [2, 1], [1, 1]).AddBf16("a.zero", [2, 1], [1, 1]);

        Assert.Contains("parameter 'a.weight' in a layout whose weights can be read, found Hqq",
            Assert.Throws<CheckpointFormatException>(() => Read(file, """{"quant_method":"hqq","quant_config":{"weight_quant_params":{"nbits":4,"group_size":64}}}""")).Message);
    }

    [Fact]
    public void The_FP8_tensors_of_torchao_are_read_from_its_own_file()
    {
        var path = SharedData.Require("models/tiny-random/fp8_weights.safetensors");
        using var reader = new WeightReader(Checkpoint.Open(path), null);
        var weight = reader.Find("0.weight")!;
        var values = new float[256 * 32];
        weight.ReadRows(0, values);

        // The codes begin at byte 1536 of the data, the scales of the rows at byte 0.
        var file = File.ReadAllBytes(path);
        var data = 8 + BitConverter.ToInt32(file);
        Assert.Equal([256, 32], weight.Dimensions);
        for (var at = 0; at < values.Length; at++)
        {
            var code = file[data + 1536 + at];
            var magnitude = (code >> 3 & 15) == 0 ? (code & 7) / 512.0 : (8 + (code & 7)) * Math.Pow(2, (code >> 3 & 15) - 10);
            Assert.Equal((float)(code > 127 ? -magnitude : magnitude) * BitConverter.ToSingle(file, data + at / 32 * 4), values[at]);
        }
    }

    private static TensorFile Gptq(uint zeros) => new TensorFile()
        .AddWords("a.qweight", [1, 8], [0x76543210, 0xFEDCBA98, .. Enumerable.Repeat(0x88888888u, 6)])
        .AddWords("a.qzeros", [1, 1], [zeros])
        .AddHalves("a.scales", [1, 8], [0.5f, 1, 1, 1, 1, 1, 1, 1])
        .AddWords("a.g_idx", [8], new uint[8]);

    private static string Compressed(string format, string weights) =>
        $$$"""{"quant_method":"compressed-tensors","format":"{{{format}}}","config_groups":{"group_0":{"targets":["Linear"],"weights":{{{weights}}} } } }""";

    /// <summary>All weights of the file's only parameter.</summary>
    private static float[] Read(TensorFile file, string quantization)
    {
        using var folder = new TemporaryFolder();
        var config = ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes($$"""{"quantization_config":{{quantization}}}"""));
        using var reader = new WeightReader(Checkpoint.Open(folder.Write("model.safetensors", file.ToBytes())), QuantizationConfig.Find(config));
        var weight = reader.Open(Assert.Single(reader.Parameters));
        var values = new float[weight.Rows * weight.RowLength];
        weight.ReadRows(0, values);
        return values;
    }
}
