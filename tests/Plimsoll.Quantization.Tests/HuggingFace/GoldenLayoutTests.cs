
namespace Plimsoll.Quantization.Tests.HuggingFace;

/// <summary>What the writers store for weights whose codes can be worked out by hand.</summary>
public class GoldenLayoutTests
{
    /// <summary>Every row of a layer repeats −7.5, −7, −6 … 7, 7.5 tenths: with the largest 0.75 the scale of four bits is 0.1.</summary>
    private static readonly float[] Ramp = [-7.5f, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7];

    [Fact]
    public void Symmetric_GPTQ_stores_the_zero_point_eight_as_seven()
    {
        using var model = Model();
        var file = model.Convert("gptq:4bit-g128", out _);

        Assert.All(file.Words(Up + ".qzeros"), word => Assert.Equal(0x77777777u, word));
        Assert.Equal(Enumerable.Range(0, 128).Select(column => (uint)(column / 128)), file.Words(Up + ".g_idx"));
        Assert.All(file.Floats(Up + ".scales"), scale => Assert.Equal(0.1f, scale, 1e-4f));
        // The first inputs of output 0: FP16 rounds the scale 0.1 down, so −0.75 is −7.502 of it and becomes −8, code 0; −7 is code 1 …
        Assert.Equal(0x76543210u, file.Words(Up + ".qweight")[0]);
        Assert.Equal([16L, 256L], file.ShapeOf(Up + ".qweight"));
        Assert.Equal([1L, 32L], file.ShapeOf(Up + ".qzeros"));
        Assert.Equal("F16", file.TypeOf(Up + ".scales"));
    }

    [Fact]
    public void GPTQ_with_zero_points_is_version_2_and_stores_them_as_they_are()
    {
        using var model = Model(value => value + 7.5f);
        var file = model.Convert("gptq:4bit-g128-asym", out _);

        Assert.All(file.Words(Up + ".qzeros"), word => Assert.Equal(0u, word));
        Assert.Contains("\"checkpoint_format\": \"gptq_v2\"", File.ReadAllText(Path.Combine(model.Target, "config.json")));
        Assert.Contains("\"sym\": false", File.ReadAllText(Path.Combine(model.Target, "quantize_config.json")));
    }

    [Fact]
    public void AWQ_stores_eight_outputs_to_a_word_in_its_order()
    {
        // From output to output the ramp moves by one: outputs 0 to 7 of input 0 have −7.5 … −1.
        using var model = Model(shift: true);
        var file = model.Convert("awq:4bit-g128", out _);
        var zero = file.Words(Up + ".qzeros")[0];
        var word = file.Words(Up + ".qweight")[0];

        Assert.Equal([128L, 32L], file.ShapeOf(Up + ".qweight"));
        // Range −0.75 … 0.7 in 15 steps: zero point round(0.75 / 0.09667) = 8.
        Assert.Equal(0x88888888u, zero);
        // Codes 0 (−7.5), 1 (−7), 2, 3, 4, 5, 6, 7 at nibbles 0, 4, 1, 5, 2, 6, 3, 7.
        Assert.Equal(0x75316420u, word);
    }

    [Fact]
    public void Packed_integers_are_stored_row_by_row_from_the_lowest_nibble()
    {
        using var model = Model();
        var file = model.Convert("ct:w4a16-g128", out _);

        // BF16 rounds the scale 0.1 up to 0.1001: −0.75 is −7.49 of it, not −7.5.
        Assert.Equal(0x76543211u, file.Words(Up + ".weight_packed")[0]);
        Assert.Equal([256L, 128L], file.Longs(Up + ".weight_shape"));
        Assert.Equal("BF16", file.TypeOf(Up + ".weight_scale"));
        Assert.Equal([256L, 1L], file.ShapeOf(Up + ".weight_scale"));
    }

    [Fact]
    public void NF4_stores_the_first_of_two_codes_in_the_high_nibble()
    {
        // The largest magnitude is 7.5: −1 is entry 0; −7 / 7.5 = −0.93 lies nearest to −1, −6 / 7.5 = −0.8 to −0.696, −5 / 7.5 = −0.67 too.
        using var model = Model();
        var file = model.Convert("nf4", out _);

        Assert.Equal([0x00, 0x11], file.Bytes(Up + ".weight")[..2]);
        Assert.Equal([128L * 256 / 2, 1], file.ShapeOf(Up + ".weight"));
        Assert.Equal(128 * 256 / 64, file.Floats(Up + ".weight.absmax").Length);
        Assert.All(file.Floats(Up + ".weight.absmax"), absmax => Assert.Equal(0.75f, absmax));
    }

    [Fact]
    public void MXFP4_stores_the_first_of_two_codes_in_the_low_nibble()
    {
        // The largest is 12 = 1.5 · 2³: scale 2^(3−2) = 2, codes of ±0 … ±6.
        using var model = Model(value => value == -7.5f ? -12 : 0.5f * value, unit: 1);
        var file = model.Convert("ct:mxfp4", out _);

        Assert.All(file.Bytes(Up + ".weight_scale"), scale => Assert.Equal(128, scale));
        // −12 / 2 = −6: 15; −3.5 / 2 = −1.75: halfway, to the even code of −2: 12.
        Assert.Equal(0xCF, file.Bytes(Up + ".weight_packed")[0]);
    }

    [Fact]
    public void FP8_blocks_multiply_by_weight_scale_inv()
    {
        using var model = Model();
        var file = model.Convert("fp8:block128", out _);

        Assert.Equal([2L, 1L], file.ShapeOf(Up + ".weight_scale_inv"));
        Assert.Equal(0.75f / 448, file.Floats(Up + ".weight_scale_inv")[0]);
        Assert.Equal("F8_E4M3", file.TypeOf(Up + ".weight"));
        // The largest magnitude is the largest code, −448.
        Assert.Equal(0xFE, file.Bytes(Up + ".weight")[0]);
    }

    [Fact]
    public void The_layers_of_one_fused_matrix_share_the_scale_of_an_NVFP4_tensor()
    {
        using var model = new TinyCheckpoint();
        var file = model.Convert("nvfp4", out _);
        float Largest(params string[] modules) => modules.Max(module => model.Original.Floats($"model.layers.0.{module}.weight").Max(Math.Abs));
        float Global(string module) => file.Floats($"model.layers.0.{module}.weight_global_scale").Single();

        Assert.Equal(448 * 6 / Largest("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"), Global("self_attn.q_proj"));
        Assert.Equal(Global("self_attn.q_proj"), Global("self_attn.k_proj"));
        Assert.Equal(Global("self_attn.q_proj"), Global("self_attn.v_proj"));
        Assert.Equal(448 * 6 / Largest("mlp.gate_proj", "mlp.up_proj"), Global("mlp.up_proj"));
        Assert.Equal(448 * 6 / Largest("self_attn.o_proj"), Global("self_attn.o_proj"));
    }

    private const string Up = "model.layers.0.mlp.up_proj";

    /// <param name="shift">Every row begins one number later.</param>
    /// <param name="unit">What the numbers are multiplied by.</param>
    private static TinyCheckpoint Model(Func<float, float>? change = null, bool shift = false, float unit = 0.1f) => new(layer: (file, module, outputs, inputs) =>
        file.AddFloats(module + ".weight", [outputs, inputs], [.. Enumerable.Range(0, outputs * inputs).Select(at => (change ?? (same => same))(Ramp[(at % inputs + (shift ? at / inputs : 0)) % 16]) * unit)]));
}
