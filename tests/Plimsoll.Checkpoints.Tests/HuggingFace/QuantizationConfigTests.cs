using System.Text;
using System.Text.Json.Nodes;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class QuantizationConfigTests
{
    /// <summary>Sections as the tools write them: their documentation, or files on the hub.</summary>
    public static TheoryData<string, string, string> Sections => new()
    {
        { """{"quant_method":"gptq","bits":4,"group_size":128,"sym":true,"desc_act":true}""", "gptq:4bit-g128", "GPTQ 4-bit, group 128, symmetric, act-order" },
        { """{"quant_method":"gptq","bits":3,"group_size":-1,"sym":false}""", "gptq:3bit", "GPTQ 3-bit, per channel, with zero points" },
        { """{"quant_method":"gptq","bits":8,"group_size":-1}""", "gptq:8bit", "GPTQ 8-bit, per channel, symmetric" },
        { """{"quant_method":"awq","bits":4,"group_size":128,"zero_point":true,"version":"GEMM"}""", "awq:4bit-g128", "AWQ 4-bit, group 128, with zero points, gemm" },
        { """{"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"}""", "nf4", "bitsandbytes NF4, block 64" },
        { """{"load_in_4bit":true,"bnb_4bit_quant_type":"nf4","bnb_4bit_use_double_quant":true}""", "nf4-dq", "bitsandbytes NF4, block 64, double quantization" },
        { """{"quant_method":"bitsandbytes","load_in_4bit":true}""", "fp4", "bitsandbytes FP4, block 64" },
        { """{"quant_method":"bitsandbytes","load_in_8bit":true}""", "int8", "bitsandbytes LLM.int8(), per channel" },
        {
            """{"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"group_0":{"targets":["Linear"],"weights":{"num_bits":4,"type":"int","symmetric":true,"strategy":"group","group_size":128}}},"ignore":["lm_head"]}""",
            "ct:w4a16-g128", "compressed-tensors 4-bit, group 128, symmetric"
        },
        {
            """{"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"group_0":{"targets":["Linear"],"weights":{"num_bits":4,"type":"int","symmetric":false,"strategy":"group","group_size":128,"actorder":"group"}}}}""",
            "ct:w4a16-g128-asym", "compressed-tensors 4-bit, group 128, with zero points, act-order"
        },
        {
            """{"quant_method":"compressed-tensors","format":"int-quantized","config_groups":{"group_0":{"targets":["Linear"],"input_activations":{"num_bits":8,"type":"int","dynamic":true},"weights":{"num_bits":8,"type":"int","strategy":"channel"}}}}""",
            "ct:w8a8", "compressed-tensors 8-bit, per channel, symmetric, dynamic 8-bit activations"
        },
        {
            """{"quant_method":"compressed-tensors","format":"float-quantized","config_groups":{"group_0":{"targets":["Linear"],"input_activations":{"num_bits":8,"type":"float","dynamic":true},"weights":{"num_bits":8,"type":"float","strategy":"channel"}}}}""",
            "fp8", "compressed-tensors FP8, per channel, dynamic 8-bit activations"
        },
        {
            """{"quant_method":"compressed-tensors","format":"float-quantized","config_groups":{"group_0":{"targets":["Linear"],"weights":{"num_bits":8,"type":"float","strategy":"block","block_structure":[128,128]}}}}""",
            "fp8:block128", "compressed-tensors FP8, block 128×128"
        },
        {
            """{"quant_method":"compressed-tensors","format":"nvfp4-pack-quantized","config_groups":{"group_0":{"targets":["Linear"],"input_activations":{"num_bits":4,"type":"float","dynamic":"local"},"weights":{"num_bits":4,"type":"float","strategy":"tensor_group","group_size":16}}}}""",
            "nvfp4", "compressed-tensors NVFP4, group 16, dynamic 4-bit activations"
        },
        {
            """{"quant_method":"compressed-tensors","format":"mxfp4-pack-quantized","config_groups":{"group_0":{"targets":["Linear"],"weights":{"num_bits":4,"type":"float","strategy":"group","group_size":32,"scale_dtype":"torch.uint8"}}}}""",
            "mxfp4", "compressed-tensors MXFP4, group 32"
        },
        { """{"quant_method":"fp8","activation_scheme":"dynamic","weight_block_size":[128,128],"fmt":"e4m3"}""", "fp8:block128", "FP8, block 128×128, dynamic 8-bit activations" },
        { """{"quant_method":"fp8","activation_scheme":"static","ignored_layers":["lm_head"]}""", "fp8", "FP8, per tensor, static 8-bit activations" },
        { """{"quant_method":"fbgemm_fp8","activation_scale_ub":1200.0}""", "fp8", "FBGEMM FP8, per channel, dynamic 8-bit activations" },
        { """{"quant_method":"modelopt","quant_algo":"NVFP4","ignore":["lm_head"]}""", "nvfp4", "ModelOpt NVFP4, group 16, static 4-bit activations" },
        { """{"quant_algo":"FP8","kv_cache_scheme":"FP8"}""", "fp8", "ModelOpt FP8, per tensor, static 8-bit activations; KV cache FP8" },
        { """{"quant_method":"modelopt","quant_algo":"W4A16_AWQ","group_size":128}""", "modelopt:4bit-g128", "ModelOpt 4-bit, group 128, symmetric" },
        { """{"quant_method":"mxfp4","modules_to_not_convert":["lm_head"]}""", "mxfp4", "MXFP4, group 32" },
        { """{"quant_method":"torchao","quant_type":"int4_weight_only","quant_type_kwargs":{"group_size":32}}""", "torchao:4bit-g32", "torchao 4-bit, group 32, with zero points, int4_weight_only" },
        { """{"quant_method":"torchao","quant_type":{"default":{"_type":"Int8WeightOnlyConfig","_version":2,"_data":{"group_size":null}}}}""", "int8", "torchao 8-bit, per channel, symmetric, Int8WeightOnlyConfig" },
        { """{"quant_method":"torchao","quant_type":{"default":{"_type":"FutureConfig","_data":{}}}}""", "unknown", "torchao in a variant that is not known (torchao)" },
        { """{"quant_method":"hqq","quant_config":{"weight_quant_params":{"nbits":4,"group_size":64,"axis":1}},"skip_modules":["lm_head"]}""", "hqq:4bit-g64", "HQQ 4-bit, group 64, with zero points" },
        { """{"quant_method":"auto-round","bits":2,"group_size":64,"sym":true,"packing_format":"auto_round:auto_gptq"}""", "autoround:2bit-g64", "AutoRound 2-bit, group 64, symmetric" },
        { """{"quant_method":"auto-round","bits":4,"group_size":32,"data_type":"mx_fp"}""", "mxfp4", "AutoRound MXFP4, group 32" },
        { """{"quant_method":"eetq","weights":"int8"}""", "int8", "EETQ 8-bit, per channel, symmetric" },
        { """{"quant_method":"quanto","weights":"int4"}""", "quanto:4bit-g128", "Quanto 4-bit, group 128, with zero points" },
        { """{"quant_method":"quark","global_quant_config":{"weight":{"dtype":"fp4","qscheme":"per_group","group_size":32}},"exclude":["lm_head"]}""", "mxfp4", "Quark MXFP4, group 32" },
        { """{"quant_method":"bitnet","quantization_mode":"offline"}""", "bitnet", "BitNet ternary, per tensor, dynamic 8-bit activations" },
        {
            """{"quant_method":"vptq","config_for_layers":{"model.layers.0.mlp.up_proj":{"vector_lens":[-1,8],"num_centroids":[-1,65536],"num_res_centroids":[-1,256]}}}""",
            "vptq:3bit", "VPTQ 3-bit"
        },
        { """{"quant_method":"aqlm","in_group_size":8,"out_group_size":1,"num_codebooks":1,"nbits_per_codebook":16}""", "aqlm:2bit", "AQLM 2-bit" },
        { """{"quant_method":"exl2","version":"0.1.1","bits":4.25}""", "exl2:4.25bit", "EXL2 4.25-bit" },
        { """{"quant_method":"exl3","version":"0.0.1","bits":3.0,"head_bits":6}""", "exl3:3bit+exl3:6bit", "mixed: EXL3 3-bit + EXL3 6-bit" },
        { """{"quant_method":"higgs","bits":4,"p":2,"group_size":256}""", "higgs:4bit-g256", "HIGGS 4-bit, group 256" },
        { """{"quant_method":"spqr","bits":3,"beta1":16,"beta2":16}""", "spqr:3bit", "SpQR 3-bit, block 16×16" },
        { """{"quant_method":"fp_quant","forward_dtype":"nvfp4"}""", "nvfp4", "FP-Quant NVFP4, group 16" },
        { """{"quant_method":"from_tomorrow","bits":4,"group_size":128}""", "unknown", "quantized by an unknown method \"from_tomorrow\"" },
        { """{"bits":4}""", "unknown", "quantized by an unknown method \"no quant_method\"" },
    };

    [Theory]
    [MemberData(nameof(Sections))]
    public void Each_kind_has_its_precision_name_and_sentence(string section, string precision, string sentence)
    {
        var quantization = Read(section);

        Assert.Equal(precision, quantization.PrecisionName);
        Assert.Equal(sentence, quantization.Describe());
    }

    [Fact]
    public void An_unknown_method_keeps_its_name_and_guesses_nothing()
    {
        var quantization = Read("""{"quant_method":"from_tomorrow","bits":4,"group_size":128}""");

        Assert.Equal(QuantizationMethod.Unknown, quantization.Method);
        Assert.Equal("from_tomorrow", quantization.MethodName);
        Assert.Null(quantization.SchemeOf("model.layers.0.mlp.up_proj"));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{ "quantization_config": null }""")]
    [InlineData("""{ "quantization_config": {} }""")]
    public void A_model_in_plain_numbers_has_none(string config) => Assert.Null(QuantizationConfig.Find(ModelConfigTests.Parse(config)));

    [Theory]
    [InlineData("""{"quant_method":"gptq","bits":0,"group_size":128}""", "quantization_config.bits")]
    [InlineData("""{"quant_method":"gptq","bits":4,"group_size":-7}""", "quantization_config.group_size")]
    [InlineData("""{"quant_method":"gptq","group_size":128}""", "quantization_config.bits")]
    [InlineData("""{"quant_method":"gptq","bits":"four"}""", "quantization_config.bits")]
    [InlineData("""{"quant_method":"fp8","weight_block_size":[128]}""", "quantization_config.weight_block_size")]
    [InlineData("""{"quant_method":"aqlm","in_group_size":0}""", "quantization_config.in_group_size")]
    [InlineData("""{"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf5"}""", "quantization_config.bnb_4bit_quant_type")]
    [InlineData("""{"quant_method":4}""", "quantization_config.quant_method")]
    public void Senseless_values_are_refused_by_key(string section, string key) =>
        Assert.Contains($"\"{key}\"", Assert.Throws<CheckpointFormatException>(() => Read(section)).Message);

    [Theory]
    [InlineData("""{"quant_method":"gptq","bits":4,"group_size":128}""")]
    [InlineData("""{"quant_method":"awq","bits":4,"group_size":128,"modules_to_not_convert":["visual"]}""")]
    [InlineData("""{"quant_method":"bitsandbytes","load_in_4bit":true}""")]
    [InlineData("""{"quant_method":"fp8","weight_block_size":[128,128]}""")]
    [InlineData("""{"quant_method":"hqq","nbits":4,"group_size":64}""")]
    [InlineData("""{"quant_method":"eetq"}""")]
    public void The_head_keeps_its_precision_where_the_method_leaves_it(string section)
    {
        Assert.Null(Read(section).SchemeOf("lm_head"));
        Assert.NotNull(Read(section).SchemeOf("model.layers.0.mlp.up_proj"));
    }

    [Fact]
    public void compressed_tensors_converts_the_head_unless_told_not_to()
    {
        const string groups = """ "config_groups":{"g":{"targets":["Linear"],"weights":{"num_bits":8,"type":"int","strategy":"channel"}}} """;

        Assert.NotNull(Read($$"""{"quant_method":"compressed-tensors",{{groups}}}""").SchemeOf("lm_head"));
        Assert.Null(Read($$"""{"quant_method":"compressed-tensors","ignore":["lm_head"],{{groups}}}""").SchemeOf("lm_head"));
    }

    [Theory]
    [InlineData("model.layers.1.self_attn.q_proj", true)]
    [InlineData("model.layers.10.self_attn.q_proj", false)]
    [InlineData("model.layers.3.mlp.gate", true)]
    [InlineData("model.layers.3.mlp.gate_proj", false)]
    [InlineData("model.layers.3.aggregate", false)]
    [InlineData("model.visual.blocks.0.attn.qkv", true)]
    public void transformers_lists_name_whole_modules_wherever_they_sit(string module, bool skipped)
    {
        var quantization = Read("""{"quant_method":"fp8","modules_to_not_convert":["model.layers.1","gate","visual","lm_head"]}""");

        Assert.Equal(skipped, quantization.SchemeOf(module) is null);
    }

    [Theory]
    [InlineData("model.layers.0.mlp.up_proj", true)]
    [InlineData("model.layers.01.mlp.up_proj", false)]
    [InlineData("model.layers.1.self_attn.q_proj", true)]
    [InlineData("model.layers.12.self_attn.q_proj", false)]
    [InlineData("model.layers.5.mlp.shared_expert.up_proj", true)]
    [InlineData("model.layers.5.mlp.experts.7.up_proj", false)]
    public void ModelOpt_lists_are_wildcards_over_the_whole_name(string module, bool skipped)
    {
        var quantization = Read("""{"quant_method":"modelopt","quant_algo":"NVFP4","ignore":["model.layers.0*","model.layers.1.*","*.mlp.shared_expert.*"]}""");

        Assert.Equal(skipped, quantization.SchemeOf(module) is null);
    }

    [Fact]
    public void GPTQ_rules_leave_out_or_change_modules_by_regular_expression()
    {
        var quantization = Read("""
            {"quant_method":"gptq","bits":4,"group_size":128,
             "dynamic":{"-:.*\\.mlp\\.gate$":{},"+:model\\.layers\\.0\\..*":{"bits":8,"group_size":32},".*down_proj":{"desc_act":true}}}
            """);

        Assert.Null(quantization.SchemeOf("model.layers.0.mlp.gate"));
        Assert.Equal("gptq:8bit-g32", quantization.SchemeOf("model.layers.0.mlp.up_proj")!.PrecisionName);
        Assert.True(quantization.SchemeOf("model.layers.1.mlp.down_proj")!.ActOrder);
        Assert.Equal("gptq:4bit-g128", quantization.SchemeOf("model.layers.1.mlp.up_proj")!.PrecisionName);
    }

    [Fact]
    public void A_hostile_regular_expression_is_stopped()
    {
        var quantization = Read("""{"quant_method":"gptq","bits":4,"group_size":128,"dynamic":{"-:(a+)+$":{},"-:(":{}}}""");

        Assert.Contains("decides within", Assert.Throws<CheckpointFormatException>(() => quantization.SchemeOf(new string('a', 60) + "!")).Message);
        Assert.Contains("regular expression", Assert.Throws<CheckpointFormatException>(() => quantization.SchemeOf("b")).Message);
    }

    [Fact]
    public void AutoRound_layers_may_have_their_own_bits()
    {
        var quantization = Read("""
            {"quant_method":"auto-round","bits":4,"group_size":128,"sym":true,"block_name_to_quantize":"model.layers",
             "extra_config":{"model.layers.0.self_attn.q_proj":{"bits":8},"model.layers.0.mlp.gate":{"bits":16,"data_type":"float"}}}
            """);

        Assert.Equal(8, quantization.SchemeOf("model.layers.0.self_attn.q_proj")!.Bits);
        Assert.Null(quantization.SchemeOf("model.layers.0.mlp.gate"));
        Assert.Equal(4, quantization.SchemeOf("model.layers.1.mlp.gate")!.Bits);
        Assert.Null(quantization.SchemeOf("visual.blocks.0.qkv"));
    }

    [Fact]
    public void MLX_writes_no_method_and_exceptions_among_the_settings()
    {
        var config = ModelConfigTests.Parse("""
            { "quantization": { "group_size": 64, "bits": 4, "model.layers.0.mlp.gate": { "group_size": 64, "bits": 8 }, "lm_head": false } }
            """);

        var quantization = QuantizationConfig.Find(config)!;

        Assert.Equal(QuantizationMethod.Mlx, quantization.Method);
        Assert.Equal("mlx:4bit-g64", quantization.Default!.PrecisionName);
        Assert.Equal("mlx:8bit-g64", quantization.SchemeOf("model.layers.0.mlp.gate")!.PrecisionName);
        Assert.Null(quantization.SchemeOf("lm_head"));
    }

    [Theory]
    [InlineData("""{"w_bit":4,"q_group_size":128,"zero_point":true,"version":"GEMM"}""", "awq:4bit-g128")]
    [InlineData("""{"bits":4,"group_size":128,"damp_percent":0.01,"desc_act":false,"sym":true}""", "gptq:4bit-g128")]
    [InlineData("""{"producer":{"name":"modelopt","version":"0.4"},"quantization":{"quant_algo":"NVFP4","kv_cache_quant_algo":"FP8","group_size":16,"exclude_modules":["lm_head"]}}""", "nvfp4")]
    public void Files_of_their_own_are_read(string json, string precision) =>
        Assert.Equal(precision, QuantizationConfig.Parse("quantize_config.json", Encoding.UTF8.GetBytes(json))!.PrecisionName);

    [Fact]
    public void A_file_that_says_nothing_is_quantized_says_so() =>
        Assert.Null(QuantizationConfig.Parse("hf_quant_config.json", """{"quantization":{"quant_algo":null}}"""u8.ToArray()));

    [Theory]
    [MemberData(nameof(Sections))]
    public void Any_replaced_value_is_read_or_refused(string section, string precision, string sentence)
    {
        _ = (precision, sentence);
        var replacements = new[] { "null", "-1", "0", "1e300", "9223372036854775808", "\"(x\"", "true", "[]", "[[1]]", "{}", "{\"a\":{\"b\":[]}}" };
        var original = JsonNode.Parse(section)!;
        foreach (var path in Paths(original).ToList())
        {
            foreach (var replacement in replacements)
            {
                var changed = JsonNode.Parse(section)!;
                Replace(changed, path, JsonNode.Parse(replacement));
                try
                {
                    _ = Read(changed.ToJsonString())?.SchemeOf("model.layers.0.mlp.up_proj")?.PrecisionName;
                }
                catch (CheckpointFormatException)
                {
                    // Refused with a reason.
                }
            }
        }
    }

    private static IEnumerable<object[]> Paths(JsonNode node) => node switch
    {
        JsonObject members => members.SelectMany(member => Below(member.Key, member.Value)),
        JsonArray elements => elements.SelectMany((element, index) => Below(index, element)),
        _ => [],
    };

    private static IEnumerable<object[]> Below(object key, JsonNode? value) => [[key], .. value is null ? [] : Paths(value).Select(path => (object[])[key, .. path])];

    private static void Replace(JsonNode root, object[] path, JsonNode? value)
    {
        var parent = root;
        foreach (var key in path[..^1])
            parent = key is int index ? parent[index]! : parent[(string)key]!;
        if (path[^1] is int last)
            parent[last] = value;
        else
            parent[(string)path[^1]] = value;
    }

    /// <summary>The text is golden: it was compared with the files by hand once, and any change of it wants a look.</summary>
    [Fact]
    public void Real_files_are_read_as_a_person_reads_them()
    {
        var root = SharedData.Require("configs");
        var lines = new StringBuilder();
        foreach (var file in Directory.GetFiles(root, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var config = ModelConfig.Parse(file, File.ReadAllBytes(file));
            var own = Path.GetFileName(file).Contains("quant_config", StringComparison.Ordinal) || Path.GetFileName(file) == "quantize_config.json";
            if ((own ? QuantizationConfig.Parse(file, File.ReadAllBytes(file)) : QuantizationConfig.Find(config)) is { } quantization)
                lines.AppendLine($"{Path.GetRelativePath(root, file)}\n  {quantization.PrecisionName}: {quantization.Describe()}; not converted: {quantization.NotConverted.Length} entries");
        }

        Golden.Match("quantization-real-files.txt", lines.ToString());
    }

    [Fact]
    public void Every_catalogued_configuration_is_known_or_plain()
    {
        var path = SharedData.Require("catalog/model_configs.json");
        var counts = ModelConfig.Parse(path, File.ReadAllBytes(path)).Objects()
            .Select(entry => QuantizationConfig.Find(entry.Value.Object("raw")!)?.PrecisionName ?? "plain")
            .CountBy(name => name).OrderBy(pair => pair.Key, StringComparer.Ordinal);

        Golden.Match("quantization-catalog.txt", string.Join('\n', counts.Select(pair => $"{pair.Key} {pair.Value}")));
    }

    [Fact]
    public void A_mixed_checkpoint_answers_by_module()
    {
        var file = SharedData.Require("configs/aiconfigurator/nvidia--Qwen3.6-35B-A3B-NVFP4_config.json");
        var quantization = QuantizationConfig.Find(ModelConfig.Parse(file, File.ReadAllBytes(file)))!;

        Assert.Equal("fp8", quantization.SchemeOf("model.language_model.layers.0.linear_attn.out_proj")!.PrecisionName);
        Assert.Equal("nvfp4", quantization.SchemeOf("model.language_model.layers.0.mlp.experts.17.down_proj")!.PrecisionName);
        Assert.Null(quantization.SchemeOf("model.language_model.layers.0.linear_attn.in_proj_a"));
    }

    [Theory]
    [InlineData("deepseek-ai--DeepSeek-V4-Pro_config.json", "mxfp4")]
    [InlineData("nvidia--DeepSeek-V4-Pro-NVFP4_config.json", "nvfp4")]
    public void DeepSeek_V4_keeps_its_experts_in_four_bits(string name, string experts)
    {
        var file = SharedData.Require("configs/aiconfigurator/" + name);
        var quantization = QuantizationConfig.Find(ModelConfig.Parse(file, File.ReadAllBytes(file)))!;

        Assert.Equal(experts, quantization.SchemeOf("layers.5.ffn.experts.3.w1")!.PrecisionName);
        Assert.Equal("fp8:block128", quantization.SchemeOf("layers.5.attn.wq_a")!.PrecisionName);
        Assert.Equal("fp8:block128", quantization.SchemeOf("layers.5.ffn.shared_experts.w1")!.PrecisionName);
    }

    private static QuantizationConfig Read(string section) =>
        QuantizationConfig.Find(ModelConfigTests.Parse($$"""{ "quantization_config": {{section}} }"""))!;
}
