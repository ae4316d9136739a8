using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights;
using Plimsoll.Planning.Weights.Linear;

namespace Plimsoll.Planning.Tests.Weights;

public class PrecisionSchemeTests
{
    [Theory]
    [InlineData("FP16", "fp16")]
    [InlineData("half", "fp16")]
    [InlineData(" BFloat16 ", "bf16")]
    [InlineData("8bit", "int8")]
    [InlineData("4bit", "int4")]
    [InlineData("Q4_K_M", "gguf:q4_k_m")]
    [InlineData("gguf:Q4_K_M", "gguf:q4_k_m")]
    [InlineData("gguf:q4_0+imatrix", "gguf:q4_0+imatrix")]
    [InlineData("iq4_xs", "gguf:iq4_xs")]
    [InlineData("gguf:f16", "gguf:f16")]
    [InlineData("gguf:nvfp4", "gguf:nvfp4")]
    [InlineData("mxfp4_moe", "gguf:mxfp4_moe")]
    [InlineData("mxfp4", "mxfp4")]
    [InlineData("gptq", "gptq:4bit-g128")]
    [InlineData("gptq-int8", "gptq:8bit-g128")]
    [InlineData("gptq:3bit-g64", "gptq:3bit-g64")]
    [InlineData("GPTQ:4bit-g-1", "gptq:4bit-g-1")]
    [InlineData("awq:4bit-g64", "awq:4bit-g64")]
    [InlineData("bnb-nf4", "nf4")]
    [InlineData("nf4-dq", "nf4-dq")]
    [InlineData("LLM.int8()", "bnb-int8")]
    [InlineData("fp8:block64", "fp8:block64")]
    [InlineData("w4a16", "ct:w4a16-g128")]
    [InlineData("ct:w4a16-g32-asym", "ct:w4a16-g32-asym")]
    [InlineData("ct:w4a16-g-1", "ct:w4a16-g-1")]
    [InlineData("ct:w8a16-g128", "ct:w8a16-g128")]
    [InlineData("hqq:2bit-g16", "hqq:2bit-g16")]
    public void A_precision_is_found_as_people_type_it(string typed, string name) => Assert.Equal(name, PrecisionScheme.Find(typed)?.Name);

    [Fact]
    public void Every_listed_scheme_is_found_by_its_own_name()
    {
        Assert.All(PrecisionScheme.All, scheme => Assert.Equal(scheme.Name, PrecisionScheme.Find(scheme.Name)?.Name));
        Assert.Distinct(PrecisionScheme.All.Select(scheme => scheme.Name));
    }

    [Theory]
    [InlineData("q4_k_x")]
    [InlineData("awq:8bit-g128")]
    [InlineData("gptq:5bit")]
    [InlineData("gptq:4bit-g99999999999")]
    [InlineData("iq4_k")]
    [InlineData("q4_k_r4")]
    [InlineData("")]
    public void An_unknown_precision_is_not_guessed(string typed) => Assert.Null(PrecisionScheme.Find(typed));

    [Theory]
    [InlineData("iq4_k")]
    [InlineData("gguf:iq4_ks_r4")]
    [InlineData("q8_0_r8")]
    [InlineData("iq2_bn")]
    [InlineData("IQ3_KT")]
    public void Types_of_ik_llama_cpp_are_refused_by_name(string typed) =>
        Assert.Equal(
            $"{typed} is a type of ik_llama.cpp, which llama.cpp cannot load and whose mixtures are not modelled here; give the GGUF file itself, or a llama.cpp type such as gguf:q4_k_m.",
            PrecisionScheme.ExplainUnknown(typed));

    [Fact]
    public void A_typing_error_gets_the_closest_names()
    {
        Assert.Contains("q4_k_m", PrecisionScheme.Suggest("q4_k_n"));
        Assert.StartsWith("q4km is not a known precision; did you mean ", PrecisionScheme.ExplainUnknown("q4km"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fp32", 4.0)]
    [InlineData("tf32", 4.0)]
    [InlineData("fp16", 2.0)]
    [InlineData("bf16", 2.0)]
    [InlineData("fp8", 1.0)]
    [InlineData("int8", 1.0)]
    [InlineData("int6", 0.75)]
    [InlineData("int5", 0.625)]
    [InlineData("int4", 0.5)]
    [InlineData("int3", 0.375)]
    [InlineData("int2", 0.25)]
    public void A_plain_precision_costs_its_bits_for_every_parameter(string name, double bytesPerParameter)
    {
        var shape = TestShapes.Llama2_7B;
        var weights = PrecisionScheme.Find(name)!.Apply(shape);
        Assert.Equal((long)(shape.Parameters * bytesPerParameter), weights.Total.Bytes);
        Assert.Equal(shape.Parameters, weights.Parameters);
    }

    [Fact]
    public void Integers_without_scales_name_the_formats_that_engines_load() =>
        Assert.Contains("gguf:q4_k_m", Assert.Single(PrecisionScheme.Find("int4")!.Apply(TestShapes.Llama2_7B).Notes));

    /// <summary>One layer of 4096 × 4096, the arithmetic by hand from the layouts of each format.</summary>
    [Theory]
    [InlineData("gptq:4bit-g128", 8388608 + 65536 + 262144 + 16384)]
    [InlineData("gptq:8bit-g128", 16777216 + 131072 + 262144 + 16384)]
    [InlineData("gptq:3bit-g128", 6291456 + 49152 + 262144 + 16384)]
    [InlineData("gptq:4bit-g-1", 8388608 + 2048 + 8192 + 16384)]
    [InlineData("gptq:4bit-g32", 8388608 + 262144 + 1048576 + 16384)]
    [InlineData("awq:4bit-g128", 8388608 + 65536 + 262144)]
    [InlineData("nf4", 8388608 + 64 + 1048576)]
    [InlineData("nf4-dq", 8388608 + 64 + 262144 + 4096 + 1024 + 4)]
    [InlineData("fp4", 8388608 + 64 + 1048576)]
    [InlineData("bnb-int8", 16777216 + 16384)]
    [InlineData("fp8:tensor", 16777216 + 4)]
    [InlineData("fp8:channel", 16777216 + 16384)]
    [InlineData("fp8:block128", 16777216 + 4096)]
    [InlineData("ct:w4a16-g128", 8388608 + 262144 + 16)]
    [InlineData("ct:w4a16-g128-asym", 8388608 + 262144 + 16 + 65536)]
    [InlineData("ct:w8a16", 16777216 + 8192 + 16)]
    [InlineData("ct:w8a8", 16777216 + 16384)]
    [InlineData("mxfp4", 8388608 + 524288)]
    [InlineData("nvfp4", 8388608 + 1048576 + 8)]
    [InlineData("hqq:4bit-g64", 8388608 + 1048576)]
    [InlineData("hqq:3bit-g64", 6710888 + 1048576)]
    public void A_linear_layer_costs_codes_and_side_tensors(string name, long bytes)
    {
        var weights = PrecisionScheme.Find(name)!.Apply(TestShapes.Llama2_7B);
        Assert.Equal(bytes, weights.Tensors.Single(tensor => tensor.Shape.Name == "model.layers.3.self_attn.q_proj.weight").Bytes);
    }

    [Fact]
    public void Quantized_checkpoints_keep_embeddings_norms_and_head_in_16_bits()
    {
        var shape = TestShapes.Llama31_8B;
        foreach (var scheme in PrecisionScheme.All.Where(scheme => scheme.Family == PrecisionFamily.HuggingFace))
        {
            var weights = scheme.Apply(shape);
            Assert.All(
                weights.Tensors.Where(tensor => tensor.Shape.Role is TensorRole.Embedding or TensorRole.OutputHead or TensorRole.Norm),
                tensor => Assert.Equal((NumberFormats.Bf16, 2 * tensor.Shape.Elements), (tensor.Format, tensor.Bytes)));
            Assert.Equal(shape.Tensors.Length, weights.Tensors.Length);
        }
    }

    /// <summary>LitGPT measured 0.31 GB between nf4 and nf4-dq on Llama 2 7B and 0.60 GB on 13B; it converts the output head too.</summary>
    [Theory]
    [InlineData(7, 0.31)]
    [InlineData(13, 0.60)]
    public void Double_quantization_saves_what_LitGPT_measured(int size, double gigabytes)
    {
        var shape = size == 7 ? TestShapes.Llama2_7B : TestShapes.Llama2_13B;
        var saved = PrecisionScheme.Find("nf4")!.Apply(shape).Total.Bytes - PrecisionScheme.Find("nf4-dq")!.Apply(shape).Total.Bytes;
        var head = BitsAndBytes.FourBit("nf4", doubleQuant: false, experts: false).BytesOfLayer(shape.VocabularySize, shape.HiddenSize)
            - BitsAndBytes.FourBit("nf4", doubleQuant: true, experts: false).BytesOfLayer(shape.VocabularySize, shape.HiddenSize);
        Assert.Equal(gigabytes, (saved + head!.Value) / 1e9, 2);
    }

    [Fact]
    public void Bitsandbytes_leaves_fused_experts_alone_and_says_so()
    {
        var mixtral = Mixtral;
        var plain = PrecisionScheme.Find("nf4")!.Apply(mixtral);
        var all = PrecisionScheme.Find("nf4+experts")!.Apply(mixtral);
        Assert.All(plain.Tensors.Where(tensor => tensor.Shape.Role == TensorRole.Expert), tensor => Assert.Equal(NumberFormats.Bf16, tensor.Format));
        Assert.Contains(plain.Notes, note => note.Contains("transformers 5", StringComparison.Ordinal));
        Assert.InRange(all.BitsPerWeight, 4.5, 4.7);
        Assert.InRange(plain.BitsPerWeight, 15, 16);
    }

    [Fact]
    public void Gpt_oss_style_mxfp4_converts_only_the_experts()
    {
        var weights = PrecisionScheme.Find("mxfp4")!.Apply(Mixtral);
        Assert.All(weights.Tensors, tensor => Assert.Equal(tensor.Shape.Role == TensorRole.Expert ? NumberFormats.Mxfp4 : NumberFormats.Bf16, tensor.Format));
    }

    [Fact]
    public void Routers_stay_in_16_bits_or_more_everywhere()
    {
        foreach (var scheme in PrecisionScheme.All.Where(scheme => scheme.Family != PrecisionFamily.Plain && scheme.Name is not ("gguf:q1_0" or "gguf:nvfp4")))
        {
            var router = scheme.Apply(Mixtral).Tensors.First(tensor => tensor.Shape.Role == TensorRole.Router);
            Assert.True(router.Bytes >= 2 * router.Shape.Elements, scheme.Name);
        }
    }

    [Fact]
    public void Layers_that_do_not_fit_the_packing_stay_in_16_bits_with_a_note()
    {
        var odd = TestShapes.Dense("llama", hidden: 96, layers: 2, heads: 3, keyValueHeads: 3, width: 200, vocabulary: 1000, context: 512);
        var weights = PrecisionScheme.Find("awq")!.Apply(odd);
        Assert.Contains(weights.Notes, note => note.StartsWith("14 linear layers", StringComparison.Ordinal) && note.Contains("whole groups of 128", StringComparison.Ordinal));
        Assert.Equal(2 * odd.Parameters, weights.Total.Bytes);
    }

    [Fact]
    public void Fewer_bits_never_cost_more()
    {
        string[] order = ["gguf:f32", "gguf:bf16", "gguf:q8_0", "gguf:q6_k", "gguf:q5_k_m", "gguf:q5_k_s", "gguf:q4_k_m", "gguf:q4_k_s", "gguf:iq4_xs", "gguf:q3_k_l", "gguf:q3_k_m", "gguf:q3_k_s", "gguf:q2_k", "gguf:iq2_xs", "gguf:iq1_s"];
        foreach (var shape in (ModelShape[])[TestShapes.Llama31_8B, TestShapes.Llama2_70B, TestShapes.Qwen3_0_6B, Mixtral])
        {
            var sizes = order.Select(name => PrecisionScheme.Find(name)!.Apply(shape).Total.Bytes).ToArray();
            Assert.Equal(sizes.OrderDescending(), sizes);
        }
    }

    [Fact]
    public void The_chosen_experts_are_what_a_token_reads()
    {
        var weights = PrecisionScheme.Find("gguf:q8_0")!.Apply(Mixtral);
        var experts = weights.Tensors.Where(tensor => tensor.Shape.Role == TensorRole.Expert).Sum(tensor => tensor.Bytes);
        Assert.Equal(weights.Total.Bytes - experts * 6 / 8, weights.Active.Bytes);
    }

    private static ModelShape Mixtral => TestShapes.Experts("mixtral", hidden: 4096, layers: 32, heads: 32, keyValueHeads: 8, experts: 8, width: 14336, vocabulary: 32000);
}
