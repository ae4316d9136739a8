using System.Globalization;
using System.Text.RegularExpressions;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Planning.Weights.Linear;

namespace Plimsoll.Planning.Weights;

/// <summary>Precision names as people type them.</summary>
internal static partial class PrecisionNames
{
    private const string IntegerNote = "stores no scales, so no engine loads it as it is; real formats of about this size:";

    private static readonly Dictionary<string, PrecisionScheme> Fixed = FixedSchemes().ToDictionary(scheme => scheme.Name);

    private static readonly Dictionary<string, string> Aliases = new Dictionary<string, string>
    {
        ["float32"] = "fp32", ["f32"] = "fp32", ["float"] = "fp32", ["32bit"] = "fp32",
        ["float16"] = "fp16", ["f16"] = "fp16", ["half"] = "fp16", ["16bit"] = "fp16",
        ["bfloat16"] = "bf16",
        ["float8"] = "fp8", ["f8"] = "fp8", ["e4m3"] = "fp8", ["fp8_e4m3"] = "fp8", ["float8_e4m3fn"] = "fp8",
        ["i8"] = "int8", ["8bit"] = "int8", ["i4"] = "int4", ["4bit"] = "int4",
        ["bnb-nf4"] = "nf4", ["bnb-4bit"] = "nf4", ["bitsandbytes"] = "nf4", ["bnb-fp4"] = "fp4", ["nf4-double"] = "nf4-dq", ["bnb-nf4-dq"] = "nf4-dq",
        ["llm.int8"] = "bnb-int8", ["llm.int8()"] = "bnb-int8", ["bnb-8bit"] = "bnb-int8",
        ["fp8-dynamic"] = "fp8:channel", ["ct:fp8"] = "fp8:channel", ["fp8:block"] = "fp8:block128", ["fp8-block"] = "fp8:block128",
        ["gptq"] = "gptq:4bit-g128", ["gptq-int4"] = "gptq:4bit-g128", ["gptq-int8"] = "gptq:8bit-g128",
        ["awq"] = "awq:4bit-g128", ["awq-int4"] = "awq:4bit-g128",
        ["ct:w4a16"] = "ct:w4a16-g128", ["w4a16"] = "ct:w4a16-g128", ["w8a16"] = "ct:w8a16", ["w8a8"] = "ct:w8a8", ["ct:int8"] = "ct:w8a8",
        ["ct:nvfp4"] = "nvfp4", ["hqq"] = "hqq:4bit-g64",
    };

    /// <summary>Tensor and file types that only ik_llama.cpp knows. Source: ik_llama.cpp ggml/include/ggml.h, read from its load logs and README.</summary>
    [GeneratedRegex(@"^(iq[1-6]_k[slt]?s?|iq[12]_kt|iq[234]_kt|iq[1-6]_k[a-z]*_r4|[a-z0-9_]+_r(4|8|16)|iq[12]_bn|q6_0|q8_kv|iq5_ks|smol-.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex IkOnly { get; }

    [GeneratedRegex(@"^(?<method>gptq|awq|hqq)[:\-]?(int)?(?<bits>[1-8])(-?bits?)?(-?g(s)?(?<group>-1|[1-9][0-9]{0,4}))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Grouped { get; }

    [GeneratedRegex(@"^ct:w(?<bits>[2-8])a16(-g(?<group>-1|[1-9][0-9]{0,4}))?(?<asym>-asym)?$", RegexOptions.CultureInvariant)]
    private static partial Regex WeightOnly { get; }

    [GeneratedRegex(@"^fp8:block(?<side>[1-9][0-9]{0,3})$", RegexOptions.CultureInvariant)]
    private static partial Regex Fp8Block { get; }

    public static IReadOnlyList<PrecisionScheme> All { get; } = [.. Fixed.Values];

    public static PrecisionScheme? Find(string name)
    {
        var key = name.Trim().ToLowerInvariant();
        key = Aliases.GetValueOrDefault(key, key);
        return Fixed.GetValueOrDefault(key) ?? FindGguf(key) ?? FindGrouped(key) ?? FindCompressed(key);
    }

    public static IReadOnlyList<string> Suggest(string name)
    {
        var key = name.Trim().ToLowerInvariant();
        return ClosestNames.Find(key, All.Select(scheme => scheme.Name).Concat(GgufFileType.All.Select(type => type.Name)).Concat(Aliases.Keys));
    }

    public static string ExplainUnknown(string name)
    {
        var key = name.Trim().ToLowerInvariant();
        var bare = key.StartsWith("gguf:", StringComparison.Ordinal) ? key[5..] : key;
        if (IkOnly.IsMatch(bare))
            return $"{name} is a type of ik_llama.cpp, which llama.cpp cannot load and whose mixtures are not modelled here; give the GGUF file itself, or a llama.cpp type such as gguf:q4_k_m.";
        if (bare.StartsWith("ud-", StringComparison.Ordinal))
            return $"{name} is an individually made mixture (Unsloth Dynamic); give the GGUF file itself, or the nearest llama.cpp type such as gguf:q4_k_m.";
        var close = Suggest(name);
        return close.Count == 0
            ? $"{name} is not a known precision; examples are bf16, gguf:q4_k_m, gptq:4bit-g128, awq:4bit-g128, nf4, fp8:block128."
            : $"{name} is not a known precision; did you mean {string.Join(" or ", close)}?";
    }

    private static PrecisionScheme? FindGguf(string key)
    {
        var name = key.StartsWith("gguf:", StringComparison.Ordinal) ? key[5..] : key;
        var imatrix = name.EndsWith("+imatrix", StringComparison.Ordinal);
        if (imatrix)
            name = name[..^"+imatrix".Length];
        return GgufFileType.Find(name.Replace('-', '_')) is { } type ? new GgufScheme(type, imatrix) : null;
    }

    private static PrecisionScheme? FindGrouped(string key)
    {
        if (Grouped.Match(key) is not { Success: true } match)
            return null;
        var bits = Number(match.Groups["bits"], 4);
        var method = match.Groups["method"].Value;
        var group = Number(match.Groups["group"], method == "hqq" ? 64 : 128);
        return (method, bits) switch
        {
            ("gptq", 2 or 3 or 4 or 8) => Gptq.Method(bits, group).ToScheme(),
            ("awq", 4) => Awq.Method(group).ToScheme(),
            ("hqq", 1 or 2 or 3 or 4 or 8) when group > 0 => Hqq.Method(bits, group).ToScheme(),
            _ => null,
        };
    }

    private static PrecisionScheme? FindCompressed(string key)
    {
        if (WeightOnly.Match(key) is { Success: true } match)
        {
            var bits = Number(match.Groups["bits"], 4);
            return CompressedTensors.WeightOnly(bits, Number(match.Groups["group"], bits == 8 ? -1 : 128), match.Groups["asym"].Success).ToScheme();
        }
        return Fp8Block.Match(key) is { Success: true } block ? Linear.Fp8.Block(Number(block.Groups["side"], 128)).ToScheme() : null;
    }

    private static int Number(Group group, int otherwise) => group.Success ? int.Parse(group.ValueSpan, CultureInfo.InvariantCulture) : otherwise;

    private static IEnumerable<PrecisionScheme> FixedSchemes()
    {
        yield return new PlainScheme("fp32", NumberFormats.Fp32, null);
        yield return new PlainScheme("tf32", NumberFormats.Fp32, "TF32 is a way of multiplying; tensors in memory are FP32, 4 bytes per parameter.");
        yield return new PlainScheme("bf16", NumberFormats.Bf16, null);
        yield return new PlainScheme("fp16", NumberFormats.Fp16, null);
        yield return new PlainScheme("fp8", NumberFormats.Fp8E4M3, $"Plain fp8 {IntegerNote} fp8:channel, fp8:block128.");
        yield return new PlainScheme("int8", NumberFormats.Int8, $"Plain int8 {IntegerNote} gguf:q8_0, bnb-int8, ct:w8a8, gptq:8bit-g128.");
        yield return new PlainScheme("int6", PlainScheme.Integer(6), $"Plain int6 {IntegerNote} gguf:q6_k.");
        yield return new PlainScheme("int5", PlainScheme.Integer(5), $"Plain int5 {IntegerNote} gguf:q5_k_m.");
        yield return new PlainScheme("int4", PlainScheme.Integer(4), $"Plain int4 {IntegerNote} gguf:q4_k_m, awq:4bit-g128, gptq:4bit-g128, nf4.");
        yield return new PlainScheme("int3", PlainScheme.Integer(3), $"Plain int3 {IntegerNote} gguf:q3_k_m, gptq:3bit-g128.");
        yield return new PlainScheme("int2", PlainScheme.Integer(2), $"Plain int2 {IntegerNote} gguf:q2_k, gguf:iq2_m.");
        foreach (var type in GgufFileType.All)
            yield return new GgufScheme(type, imatrix: false);
        LinearMethod[] methods =
        [
            Gptq.Method(8, 128), Gptq.Method(4, 128), Gptq.Method(4, 32), Gptq.Method(3, 128), Gptq.Method(2, 64), Awq.Method(128), Awq.Method(64),
            BitsAndBytes.FourBit("nf4", doubleQuant: false, experts: false), BitsAndBytes.FourBit("nf4", doubleQuant: true, experts: false),
            BitsAndBytes.FourBit("nf4", doubleQuant: false, experts: true), BitsAndBytes.FourBit("nf4", doubleQuant: true, experts: true),
            BitsAndBytes.FourBit("fp4", doubleQuant: false, experts: false), BitsAndBytes.FourBit("fp4", doubleQuant: true, experts: false),
            BitsAndBytes.EightBit(experts: false), BitsAndBytes.EightBit(experts: true),
            Linear.Fp8.Tensor, Linear.Fp8.Channel, Linear.Fp8.Block(128),
            CompressedTensors.WeightOnly(4, 128, asymmetric: false), CompressedTensors.WeightOnly(8, -1, asymmetric: false), CompressedTensors.W8A8,
            MicroScaling.Mxfp4, MicroScaling.CompressedMxfp4, MicroScaling.Nvfp4, Hqq.Method(4, 64),
        ];
        foreach (var method in methods)
            yield return method.ToScheme();
    }
}
