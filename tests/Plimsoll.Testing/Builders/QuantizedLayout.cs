namespace Plimsoll.Testing.Builders;

/// <summary>How the common quantizers store a linear layer, and what they write into config.json.</summary>
/// <remarks>
/// Sources: AutoGPTQ and GPTQModel packers, AutoAWQ packer, bitsandbytes functional.py, compressed-tensors compressors, ModelOpt export,
/// transformers finegrained_fp8.py, mlx-lm.
/// </remarks>
public sealed record QuantizedLayout(string Name, string Config, Func<string, long, long, IEnumerable<StoredTensor>> Store)
{
    public override string ToString() => Name;

    public static QuantizedLayout Of(string name) => All.Single(layout => layout.Name == name);

    public static IReadOnlyList<QuantizedLayout> All { get; } =
    [
        new("gptq-4-g128", """{"quant_method":"gptq","bits":4,"group_size":128,"sym":true,"desc_act":false}""", (path, o, i) => Gptq(path, o, i, 4, i / 128)),
        new("gptq-3-g64", """{"quant_method":"gptq","bits":3,"group_size":64,"sym":true,"desc_act":true}""", (path, o, i) => Gptq(path, o, i, 3, i / 64)),
        new("gptq-8-channel", """{"quant_method":"gptq","bits":8,"group_size":-1,"sym":true,"desc_act":false}""", (path, o, i) => Gptq(path, o, i, 8, 1)),
        new("awq-4-g64", """{"quant_method":"awq","bits":4,"group_size":64,"zero_point":true,"version":"gemm"}""", (path, o, i) =>
            [new(path + ".qweight", "I32", i, o / 8), new(path + ".qzeros", "I32", i / 64, o / 8), new(path + ".scales", "F16", i / 64, o)]),
        new("nf4", """{"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"}""", (path, o, i) =>
            [
                new(path + ".weight", "U8", o * i / 2, 1), new(path + ".weight.absmax", "F32", o * i / 64), new(path + ".weight.quant_map", "F32", 16),
                new(path + ".weight.quant_state.bitsandbytes__nf4", "U8", 80),
            ]),
        new("nf4-dq", """{"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4","bnb_4bit_use_double_quant":true}""", (path, o, i) =>
            [
                new(path + ".weight", "U8", o * i / 2, 1), new(path + ".weight.absmax", "U8", o * i / 64), new(path + ".weight.quant_map", "F32", 16),
                new(path + ".weight.nested_absmax", "F32", (o * i / 64 + 255) / 256), new(path + ".weight.nested_quant_map", "F32", 256),
                new(path + ".weight.quant_state.bitsandbytes__nf4", "U8", 160),
            ]),
        new("llm-int8", """{"quant_method":"bitsandbytes","load_in_8bit":true}""", (path, o, i) =>
            [new(path + ".weight", "I8", o, i), new(path + ".SCB", "F32", o), new(path + ".weight_format", "U8")]),
        new("ct-w4a16-g128", CompressedTensors("pack-quantized", """{"num_bits":4,"type":"int","symmetric":true,"strategy":"group","group_size":128}"""), (path, o, i) =>
            [new(path + ".weight_packed", "I32", o, i / 8), new(path + ".weight_scale", "BF16", o, i / 128), new(path + ".weight_shape", "I64", 2)]),
        // 3 bits: rows of 256 inputs take 24 words.
        new("ct-w3a16-asym", CompressedTensors("pack-quantized", """{"num_bits":3,"type":"int","symmetric":false,"strategy":"channel"}"""), (path, o, i) =>
            [
                new(path + ".weight_packed", "I32", o, i * 3 / 32), new(path + ".weight_scale", "BF16", o, 1), new(path + ".weight_shape", "I64", 2),
                new(path + ".weight_zero_point", "I32", (o * 3 + 31) / 32, 1),
            ]),
        new("ct-w8a8", CompressedTensors("int-quantized", """{"num_bits":8,"type":"int","symmetric":true,"strategy":"channel"}"""), (path, o, i) =>
            [new(path + ".weight", "I8", o, i), new(path + ".weight_scale", "BF16", o, 1)]),
        new("fp8-block", """{"quant_method":"fp8","activation_scheme":"dynamic","fmt":"e4m3","weight_block_size":[128,128]}""", (path, o, i) =>
            [new(path + ".weight", "F8_E4M3", o, i), new(path + ".weight_scale_inv", "F32", (o + 127) / 128, (i + 127) / 128)]),
        new("fp8-channel", CompressedTensors("float-quantized", """{"num_bits":8,"type":"float","symmetric":true,"strategy":"channel"}"""), (path, o, i) =>
            [new(path + ".weight", "F8_E4M3", o, i), new(path + ".weight_scale", "BF16", o, 1)]),
        new("fp8-tensor", """{"quant_method":"modelopt","quant_algo":"FP8","ignore":["lm_head"]}""", (path, o, i) =>
            [new(path + ".weight", "F8_E4M3", o, i), new(path + ".weight_scale", "F32"), new(path + ".input_scale", "F32")]),
        new("nvfp4-ct", CompressedTensors("nvfp4-pack-quantized", """{"num_bits":4,"type":"float","symmetric":true,"strategy":"tensor_group","group_size":16}"""), (path, o, i) =>
            [new(path + ".weight_packed", "U8", o, i / 2), new(path + ".weight_scale", "F8_E4M3", o, i / 16), new(path + ".weight_global_scale", "F32", 1), new(path + ".input_global_scale", "F32", 1)]),
        new("nvfp4-modelopt", """{"quant_method":"modelopt","quant_algo":"NVFP4","group_size":16,"ignore":["lm_head"]}""", (path, o, i) =>
            [new(path + ".weight", "U8", o, i / 2), new(path + ".weight_scale", "F8_E4M3", o, i / 16), new(path + ".weight_scale_2", "F32"), new(path + ".input_scale", "F32")]),
        new("mxfp4-ct", CompressedTensors("mxfp4-pack-quantized", """{"num_bits":4,"type":"float","symmetric":true,"strategy":"group","group_size":32}"""), (path, o, i) =>
            [new(path + ".weight_packed", "U8", o, i / 2), new(path + ".weight_scale", "U8", o, i / 32)]),
        new("hqq-4-g64", """{"quant_method":"hqq","quant_config":{"weight_quant_params":{"nbits":4,"group_size":64}},"skip_modules":["lm_head"]}""", (path, o, i) =>
            [new(path + ".W_q", "U8", o * i / 2 / 64, 64), new(path + ".scale", "BF16", o * i / 64, 1), new(path + ".zero", "BF16", o * i / 64, 1)]),
        new("torchao-int4", """{"quant_method":"torchao","quant_type":{"default":{"_type":"Int4WeightOnlyConfig","_data":{"group_size":128}}}}""", (path, o, i) =>
            [new(path + "._weight_qdata", "U8", o, i / 2), new(path + "._weight_scale", "BF16", i / 128, o), new(path + "._weight_zero_point", "BF16", i / 128, o)]),
        new("mlx-4-g64", """{"group_size":64,"bits":4,"mode":"affine","quant_method":"mlx","lm_head":false}""", (path, o, i) =>
            [new(path + ".weight", "U32", o, i / 8), new(path + ".scales", "BF16", o, i / 64), new(path + ".biases", "BF16", o, i / 64)]),
        new("bitnet", """{"quant_method":"bitnet","quantization_mode":"offline"}""", (path, o, i) => [new(path + ".weight", "U8", o / 4, i), new(path + ".weight_scale", "BF16", 1)]),
    ];

    private static IEnumerable<StoredTensor> Gptq(string path, long outputs, long inputs, long bits, long groups) =>
    [
        new(path + ".qweight", "I32", inputs * bits / 32, outputs), new(path + ".qzeros", "I32", groups, outputs * bits / 32),
        new(path + ".scales", "F16", groups, outputs), new(path + ".g_idx", "I32", inputs),
    ];

    private static string CompressedTensors(string format, string weights) =>
        $$$"""{"quant_method":"compressed-tensors","format":"{{{format}}}","ignore":["lm_head"],"config_groups":{"group_0":{"targets":["Linear"],"weights":{{{weights}}} } } }""";
}
