using System.Text.Json;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace;

/// <summary>What each format's own project computes from the tensors of a layer, written down from its description. Slow, plain, and without the product.</summary>
internal static class PublishedArithmetic
{
    private static readonly float[] Fp4 = [0, .5f, 1, 1.5f, 2, 3, 4, 6, -0f, -.5f, -1, -1.5f, -2, -3, -4, -6];

    /// <summary>AutoGPTQ, qlinear_cuda_old: W = scales[g] · (q − (z + 1)), every code a slice of a bit stream along its axis.</summary>
    public static float[] Gptq(TensorFile file, string module, int bits, bool isVersion2)
    {
        var (qweight, qzeros, scales, index) = (file.Words(module + ".qweight"), file.Words(module + ".qzeros"), file.Floats(module + ".scales"), file.Words(module + ".g_idx"));
        var (outputs, inputs) = ((int)file.ShapeOf(module + ".qweight")[1], index.Length);
        var zeroWords = (int)file.ShapeOf(module + ".qzeros")[1];
        var weights = new float[outputs * inputs];
        for (var o = 0; o < outputs; o++)
        {
            for (var k = 0; k < inputs; k++)
            {
                var group = (int)index[k];
                var code = Slice(word => qweight[word * outputs + o], k * bits, bits);
                var zero = Slice(word => qzeros[group * zeroWords + word], o * bits, bits) + (isVersion2 ? 0 : 1);
                weights[o * inputs + k] = scales[group * outputs + o] * (code - zero);
            }
        }
        return weights;
    }

    /// <summary>AutoAWQ, gemm: nibble n of a word belongs to column order[n] of its eight; no one is taken from zero points.</summary>
    public static float[] Awq(TensorFile file, string module)
    {
        int[] nibbleOf = [0, 4, 1, 5, 2, 6, 3, 7];
        var (qweight, qzeros, scales) = (file.Words(module + ".qweight"), file.Words(module + ".qzeros"), file.Floats(module + ".scales"));
        var (inputs, words) = ((int)file.ShapeOf(module + ".qweight")[0], (int)file.ShapeOf(module + ".qweight")[1]);
        var (outputs, group) = (words * 8, inputs / (int)file.ShapeOf(module + ".scales")[0]);
        var weights = new float[outputs * inputs];
        for (var o = 0; o < outputs; o++)
        {
            for (var k = 0; k < inputs; k++)
            {
                var shift = 4 * nibbleOf[o % 8];
                var code = (int)(qweight[k * words + o / 8] >> shift & 15);
                var zero = (int)(qzeros[k / group * words + o / 8] >> shift & 15);
                weights[o * inputs + k] = scales[k / group * outputs + o] * (code - zero);
            }
        }
        return weights;
    }

    /// <summary>The codes alone, (out, in).</summary>
    public static int[] AwqCodes(TensorFile file, string module)
    {
        int[] nibbleOf = [0, 4, 1, 5, 2, 6, 3, 7];
        var (qweight, inputs, words) = (file.Words(module + ".qweight"), (int)file.ShapeOf(module + ".qweight")[0], (int)file.ShapeOf(module + ".qweight")[1]);
        return [.. Enumerable.Range(0, words * 8 * inputs).Select(at => (int)(qweight[at % inputs * words + at / inputs / 8] >> 4 * nibbleOf[at / inputs % 8] & 15))];
    }

    /// <summary>compressed-tensors, unpack_from_int32: a stream of bits along the row, 2^(bits−1) taken off; zero points packed along the outputs.</summary>
    public static float[] PackQuantized(TensorFile file, string module, int bits)
    {
        var packed = file.Words(module + ".weight_packed");
        var shape = file.Longs(module + ".weight_shape");
        var (outputs, inputs) = ((int)shape[0], (int)shape[1]);
        var (words, groups, scales) = ((int)file.ShapeOf(module + ".weight_packed")[1], (int)file.ShapeOf(module + ".weight_scale")[1], file.Floats(module + ".weight_scale"));
        var zeros = file.Has(module + ".weight_zero_point") ? file.Words(module + ".weight_zero_point") : null;
        var (half, group) = (1 << (bits - 1), (inputs + groups - 1) / groups);
        var weights = new float[outputs * inputs];
        for (var o = 0; o < outputs; o++)
        {
            for (var k = 0; k < inputs; k++)
            {
                var code = Slice(word => packed[o * words + word], k * bits, bits) - half;
                var zero = zeros is null ? 0 : Slice(word => zeros[word * groups + k / group], o * bits, bits) - half;
                weights[o * inputs + k] = scales[o * groups + k / group] * (code - zero);
            }
        }
        return weights;
    }

    /// <summary>bitsandbytes functional.py: the codebook's entry times the block's absmax, which may be nested.</summary>
    public static float[] BitsAndBytes(TensorFile file, string module, string type)
    {
        var name = module + ".weight";
        using var state = JsonDocument.Parse(file.Bytes($"{name}.quant_state.bitsandbytes__{type}"));
        Assert.Equal(type, state.RootElement.GetProperty("quant_type").GetString());
        var (shape, block) = (state.RootElement.GetProperty("shape"), state.RootElement.GetProperty("blocksize").GetInt32());
        var (packed, map) = (file.Bytes(name), file.Floats(name + ".quant_map"));
        var weights = new float[shape[0].GetInt32() * shape[1].GetInt32()];
        for (var at = 0; at < weights.Length; at++)
        {
            var code = at % 2 == 0 ? packed[at / 2] >> 4 : packed[at / 2] & 15;
            weights[at] = map[code] * Absmax(at / block);
        }
        return weights;

        float Absmax(int at) => !file.Has(name + ".nested_absmax")
            ? file.Floats(name + ".absmax")[at]
            : file.Floats(name + ".nested_quant_map")[file.Bytes(name + ".absmax")[at]] * file.Floats(name + ".nested_absmax")[at / 256]
                + state.RootElement.GetProperty("nested_offset").GetSingle();
    }

    /// <summary>LLM.int8(): W = weight · SCB / 127.</summary>
    public static float[] LlmInt8(TensorFile file, string module)
    {
        Assert.Equal(0, file.Bytes(module + ".weight_format").Single());
        var (codes, largest) = (file.Bytes(module + ".weight"), file.Floats(module + ".SCB"));
        var inputs = codes.Length / largest.Length;
        return [.. codes.Select((code, at) => (sbyte)code * largest[at / inputs] / 127)];
    }

    /// <summary>compressed-tensors int-quantized: W = weight · weight_scale of the row.</summary>
    public static float[] Int8(TensorFile file, string module)
    {
        var (codes, scales) = (file.Bytes(module + ".weight"), file.Floats(module + ".weight_scale"));
        var inputs = codes.Length / scales.Length;
        return [.. codes.Select((code, at) => (sbyte)code * scales[at / inputs])];
    }

    /// <summary>FP8: W = weight · scale of the tensor, of the row, or of the square of 128 × 128.</summary>
    public static float[] Fp8(TensorFile file, string module, string scaleName)
    {
        var (codes, shape) = (file.Bytes(module + ".weight"), file.ShapeOf(module + ".weight"));
        var (scales, scaleShape) = (file.Floats(module + scaleName), file.ShapeOf(module + scaleName));
        var (inputs, isBlock) = ((int)shape[1], scaleShape.Length == 2 && scaleShape[0] != shape[0]);
        return [.. codes.Select((code, at) =>
        {
            var (o, k) = (at / inputs, at % inputs);
            return E4M3(code) * scales[scales.Length == 1 ? 0 : isBlock ? o / 128 * (int)scaleShape[1] + k / 128 : o];
        })];
    }

    /// <summary>compressed-tensors nvfp4-pack-quantized: W = fp4 · weight_scale / weight_global_scale.</summary>
    public static float[] Nvfp4(TensorFile file, string module)
    {
        var global = file.Floats(module + ".weight_global_scale").Single();
        var scales = file.Bytes(module + ".weight_scale");
        return Fp4Codes(file, module, 16, block => E4M3(scales[block]) / global);
    }

    /// <summary>compressed-tensors mxfp4-pack-quantized: W = fp4 · 2^(scale − 127).</summary>
    public static float[] Mxfp4(TensorFile file, string module)
    {
        var scales = file.Bytes(module + ".weight_scale");
        return Fp4Codes(file, module, 32, block => MathF.Pow(2, scales[block] - 127));
    }

    private static float[] Fp4Codes(TensorFile file, string module, int block, Func<int, float> scale)
    {
        var packed = file.Bytes(module + ".weight_packed");
        return [.. Enumerable.Range(0, packed.Length * 2).Select(at => Fp4[at % 2 == 0 ? packed[at / 2] & 15 : packed[at / 2] >> 4] * scale(at / block))];
    }

    /// <summary>OCP FP8: sign, four exponent bits with bias 7, three mantissa bits.</summary>
    private static float E4M3(byte code)
    {
        var (exponent, mantissa) = (code >> 3 & 15, code & 7);
        var magnitude = exponent == 0 ? mantissa * MathF.Pow(2, -9) : (8 + mantissa) * MathF.Pow(2, exponent - 10);
        return code >= 128 ? -magnitude : magnitude;
    }

    /// <summary>Bits [at, at + count) of 32-bit words, the lowest of the first word first.</summary>
    private static int Slice(Func<int, uint> word, int at, int count)
    {
        var code = 0;
        for (var bit = 0; bit < count; bit++)
            code |= (int)(word((at + bit) / 32) >> (at + bit) % 32 & 1) << bit;
        return code;
    }
}
