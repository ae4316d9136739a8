using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Plimsoll.Quantization.HuggingFace.Layers.Floats;
using Plimsoll.Quantization.HuggingFace.Layers.Integers;

namespace Plimsoll.Quantization.HuggingFace.Layers;

/// <summary>The formats of linear layers by the names that people type, which are those of <c>plan --precision</c>.</summary>
internal static partial class LinearFormats
{
    private static readonly ImmutableArray<LinearFormat> Fixed =
    [
        new GptqFormat(4, 128, isSymmetric: true), new GptqFormat(8, 128, isSymmetric: true), new AwqFormat(128),
        new BitsAndBytesFormat(isNf4: true, isDoubleQuantized: false), new BitsAndBytesFormat(isNf4: true, isDoubleQuantized: true),
        new BitsAndBytesFormat(isNf4: false, isDoubleQuantized: false), new BitsAndBytesFormat(isNf4: false, isDoubleQuantized: true), new LlmInt8Format(),
        new PackQuantizedFormat(4, 128, isSymmetric: true), new PackQuantizedFormat(8, -1, isSymmetric: true), new W8A8Format(),
        new Fp8Format(Fp8Sharing.Channel, isDeepSeek: false), new Fp8Format(Fp8Sharing.Tensor, isDeepSeek: false),
        new Fp8Format(Fp8Sharing.Block, isDeepSeek: true), new Fp8Format(Fp8Sharing.Block, isDeepSeek: false),
        new Fp4Format(isNvfp4: true), new Fp4Format(isNvfp4: false),
    ];

    private static readonly Dictionary<string, string> Aliases = new()
    {
        ["gptq"] = "gptq:4bit-g128", ["awq"] = "awq:4bit-g128", ["bnb-nf4"] = "nf4", ["bnb-fp4"] = "fp4", ["int8"] = "bnb-int8",
        ["ct:w4a16"] = "ct:w4a16-g128", ["w4a16"] = "ct:w4a16-g128", ["w8a16"] = "ct:w8a16", ["w8a8"] = "ct:w8a8", ["ct:int8"] = "ct:w8a8",
        ["fp8"] = "fp8:channel", ["ct:fp8"] = "fp8:channel", ["fp8:block"] = "fp8:block128", ["fp8-block"] = "fp8:block128", ["ct:fp8-block"] = "ct:fp8-block128",
        ["ct:nvfp4"] = "nvfp4", ["mxfp4"] = "ct:mxfp4",
    };

    /// <summary>One of each kind, for help and suggestions.</summary>
    public static ImmutableArray<string> Names { get; } = [.. Fixed.Select(format => format.Name)];

    [GeneratedRegex(@"^gptq(?<asym>-v2)?[:\-](int)?(?<bits>[2348])(-?bits?)?(-g(?<group>-1|[1-9][0-9]{0,4}))?(?<asym>-asym)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Gptq { get; }

    [GeneratedRegex(@"^awq[:\-](int)?4(-?bits?)?(-g(?<group>-1|[1-9][0-9]{0,4}))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Awq { get; }

    [GeneratedRegex(@"^ct:w(?<bits>[2-8])a16(-g(?<group>-1|[1-9][0-9]{0,4}))?(?<asym>-asym)?$", RegexOptions.CultureInvariant)]
    private static partial Regex PackQuantized { get; }

    /// <param name="name">In lower case, without blanks around it.</param>
    public static LinearFormat? Find(string name)
    {
        var key = Aliases.GetValueOrDefault(name, name);
        if (Fixed.FirstOrDefault(format => format.Name == key) is { } format)
            return format;
        if (Gptq.Match(key) is { Success: true } gptq)
            return new GptqFormat(Number(gptq.Groups["bits"], 4), Number(gptq.Groups["group"], 128), !gptq.Groups["asym"].Success);
        if (Awq.Match(key) is { Success: true } awq)
            return new AwqFormat(Number(awq.Groups["group"], 128));
        if (PackQuantized.Match(key) is not { Success: true } packed)
            return null;
        var bits = Number(packed.Groups["bits"], 4);
        return new PackQuantizedFormat(bits, Number(packed.Groups["group"], bits == 8 ? -1 : 128), !packed.Groups["asym"].Success);
    }

    private static int Number(Group group, int otherwise) => group.Success ? int.Parse(group.ValueSpan, CultureInfo.InvariantCulture) : otherwise;
}
