using System.Text;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Checkpoints.Tests.Data;

/// <summary>The law of every reader: whatever bytes it is given, weights or a <see cref="CheckpointFormatException"/>.</summary>
public class QuantizedLayoutMutationTests
{
    private static readonly byte[] State = Encoding.UTF8.GetBytes("""{"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[2,8],"nested_blocksize":256,"nested_offset":0.5}""");

    private static readonly Dictionary<string, (string Config, TensorFile File)> Layers = new()
    {
        ["gptq"] = ("""{"quant_method":"gptq","bits":4,"group_size":4,"sym":true,"desc_act":true}""", new TensorFile()
            .AddWords("a.qweight", [1, 8], new uint[8]).AddWords("a.qzeros", [2, 1], [0x77777777, 0x77777777])
            .AddHalves("a.scales", [2, 8], new float[16]).AddWords("a.g_idx", [8], [1, 0, 1, 0, 0, 1, 0, 1])),
        ["awq"] = ("""{"quant_method":"awq","bits":4,"group_size":1,"zero_point":true}""", new TensorFile()
            .AddWords("a.qweight", [2, 1], [1, 2]).AddWords("a.qzeros", [2, 1], [1, 2]).AddHalves("a.scales", [2, 8], new float[16])),
        ["pack-quantized"] = (Compressed("pack-quantized", """{"num_bits":4,"type":"int","symmetric":false,"strategy":"group","group_size":4}"""), new TensorFile()
            .AddWords("a.weight_packed", [2, 1], [1, 2]).AddBf16("a.weight_scale", [2, 2], [1, 2, 3, 4])
            .Add("a.weight_shape", "I64", [2], [2, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]).AddWords("a.weight_zero_point", [1, 2], [0x98, 0x98])),
        ["nf4"] = ("""{"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"}""", new TensorFile()
            .Add("a.weight", "U8", [8, 1], new byte[8]).Add("a.weight.absmax", "U8", [1], [3]).AddFloats("a.weight.quant_map", [16], new float[16])
            .AddFloats("a.weight.nested_absmax", [1], [1]).AddFloats("a.weight.nested_quant_map", [256], new float[256]).Add("a.weight.quant_state.bitsandbytes__nf4", "U8", [State.Length], State)),
        ["int8"] = ("""{"quant_method":"bitsandbytes","load_in_8bit":true}""", new TensorFile()
            .Add("a.weight", "I8", [2, 2], [1, 2, 3, 4]).AddFloats("a.SCB", [2], [1, 2]).Add("a.weight_format", "U8", [], [0])),
        ["nvfp4"] = (Compressed("nvfp4-pack-quantized", """{"num_bits":4,"type":"float","strategy":"tensor_group","group_size":16}"""), new TensorFile()
            .Add("a.weight_packed", "U8", [2, 8], new byte[16]).Add("a.weight_scale", "F8_E4M3", [2, 1], [1, 2]).AddFloats("a.weight_global_scale", [1], [1])),
        ["gpt-oss"] = ("""{"quant_method":"mxfp4"}""", new TensorFile()
            .Add("a.experts.down_proj_blocks", "U8", [1, 2, 1, 16], new byte[32]).Add("a.experts.down_proj_scales", "U8", [1, 2, 1], [127, 128])),
        ["fp8"] = ("""{"quant_method":"fp8","weight_block_size":[128,128]}""", new TensorFile()
            .Add("a.weight", "F8_E4M3", [2, 129], new byte[258]).AddFloats("a.weight_scale_inv", [1, 2], [1, 2])),
        ["torchao-int4"] = ("""{"quant_method":"torchao","quant_type":{"default":{"_type":"Int4WeightOnlyConfig","_data":{"group_size":8}}}}""", new TensorFile()
            .Add("a._weight_qdata", "U8", [2, 4], new byte[8]).AddBf16("a._weight_scale", [1, 2], [2, 1]).AddBf16("a._weight_zero_point", [1, 2], [1, 3])),
        ["mlx"] = ("""{"quant_method":"mlx","group_size":4,"bits":4,"mode":"affine"}""", new TensorFile()
            .Add("a.weight", "U32", [1, 1], new byte[4]).AddBf16("a.scales", [1, 2], [1, 2]).AddBf16("a.biases", [1, 2], [-1, 0.5f])),
    };

    public static TheoryData<string> Names => [.. Layers.Keys];

    [Theory, MemberData(nameof(Names))]
    public void A_cut_or_changed_file_gives_weights_or_a_format_exception(string name)
    {
        using var folder = new TemporaryFolder();
        var (config, file) = Layers[name];
        var quantization = QuantizationConfig.Find(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes($$"""{"quantization_config":{{config}}}""")));
        var valid = file.ToBytes();
        Assert.True(IsRead(folder, valid, quantization));

        // Whatever is cut off is missed; a changed byte of the header or the data may still make sense.
        var lengths = Enumerable.Range(0, valid.Length / 11).Select(step => step * 11).Append(valid.Length - 1).ToList();
        Assert.All(lengths, length => Assert.False(IsRead(folder, valid[..length], quantization)));
        var refused = 0;
        var places = Enumerable.Range(0, valid.Length).Where(at => at < valid.Length - DataBytes(file) || at % 5 == 0).ToList();
        foreach (var at in places)
        {
            var mutant = (byte[])valid.Clone();
            mutant[at] = (byte)(at % 3 == 0 ? 0xFF : valid[at] ^ 1 << at % 7);
            refused += IsRead(folder, mutant, quantization) ? 0 : 1;
        }
        Assert.InRange(refused, 1, places.Count - 1);
    }

    private static int DataBytes(TensorFile file) => file.Names.Sum(name => file.Bytes(name).Length);

    private static bool IsRead(TemporaryFolder folder, byte[] bytes, QuantizationConfig? quantization)
    {
        try
        {
            using var reader = new WeightReader(Checkpoint.Open(folder.Write("model.safetensors", bytes)), quantization);
            foreach (var parameter in reader.Parameters)
            {
                var weight = reader.Open(parameter);
                weight.ReadRows(0, new float[checked((int)(weight.Rows * weight.RowLength))]);
            }
            return true;
        }
        catch (CheckpointFormatException)
        {
            return false;
        }
    }

    private static string Compressed(string format, string weights) =>
        $$$"""{"quant_method":"compressed-tensors","format":"{{{format}}}","config_groups":{"group_0":{"targets":["Linear"],"weights":{{{weights}}} } } }""";
}
