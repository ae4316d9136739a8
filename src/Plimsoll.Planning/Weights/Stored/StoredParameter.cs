using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights.Linear;

namespace Plimsoll.Planning.Weights.Stored;

/// <summary>One parameter of the model and everything a checkpoint stores for it.</summary>
internal sealed class StoredParameter(TensorShape shape, long hiddenSize)
{
    private readonly List<(TensorHeader Header, string Part)> parts = [];

    public TensorShape Shape { get; } = shape;

    public long Bytes => parts.Sum(part => part.Header.Bytes);

    public bool IsEmpty => parts.Count == 0;

    public void Add(TensorHeader header, string part) => parts.Add((header, part));

    public WeightTensor ToWeightTensor()
    {
        var (format, _) = Identify();
        return new(Shape, format, Bytes) { StoredName = parts.Count == 1 && parts[0].Header.Name != Shape.Name ? parts[0].Header.Name : null };
    }

    /// <summary>The format of the codes, and the name of the precision as the user would type it.</summary>
    public (NumberFormat Format, string Precision) Identify()
    {
        var main = parts.MaxBy(part => part.Header.Bytes).Header;
        if (Has("qweight"))
            return Packed("qweight", Has("g_idx") ? "gptq" : "awq", "scales");
        if (Has("weight_packed"))
            return Header("weight_packed").Format.BlockBytes == 1 ? MicroScaled() : CompressedIntegers();
        if (Has("blocks"))
            return (NumberFormats.Mxfp4, "mxfp4");
        if (Has("SCB"))
            return (NumberFormats.Int8, "bnb-int8");
        if (Has("absmax"))
            return BitsAndBytes();
        if (main.Format == NumberFormats.Fp8E4M3)
            return (main.Format, "fp8:" + Fp8Scales());
        if (main.Format == NumberFormats.UInt8 && Has("weight_scale_2"))
            return (NumberFormats.Nvfp4, "nvfp4");
        if (main.Format == NumberFormats.Int8 && Has("weight_scale"))
            return (main.Format, "ct:w8a8");
        return (main.Format, main.Format.GgmlType is not null && main.Format.Kind == NumberFormatKind.Block ? "gguf:" + main.Format.Name.ToLowerInvariant() : main.Format.Name.ToLowerInvariant());
    }

    private (NumberFormat, string) Packed(string codes, string method, string scales)
    {
        var bits = (int)Math.Round(32.0 * Elements(codes) / Shape.Elements);
        return (PlainScheme.Integer(bits), $"{method}:{bits}bit-g{Group(scales)}");
    }

    private (NumberFormat, string) CompressedIntegers()
    {
        var bits = (int)Math.Round(32.0 * Elements("weight_packed") / Shape.Elements);
        return (PlainScheme.Integer(bits), CompressedTensors.NameOf(bits, Group("weight_scale"), Has("weight_zero_point")));
    }

    private (NumberFormat, string) MicroScaled() =>
        Has("weight_global_scale") || Header("weight_scale").Format == NumberFormats.Fp8E4M3 ? (NumberFormats.Nvfp4, "nvfp4") : (NumberFormats.Mxfp4, "ct:mxfp4");

    private (NumberFormat, string) BitsAndBytes()
    {
        var nested = Has("nested_absmax");
        if (parts.Any(part => part.Part == "bitsandbytes__fp4"))
            return (NumberFormats.BitsAndBytesFp4, nested ? "fp4-dq" : "fp4");
        return nested ? (NumberFormats.Nf4DoubleQuantized, "nf4-dq") : (NumberFormats.Nf4, "nf4");
    }

    /// <summary>Inputs that share a scale, from how many scales there are; −1 for one per output row.</summary>
    private int Group(string scales)
    {
        if (LinearStack.Of(Shape, hiddenSize) is not { } stack || Elements(scales) == 0)
            return -1;
        var group = (double)Shape.Elements / Elements(scales);
        return group >= stack.In ? -1 : (int)Math.Round(group);
    }

    private string Fp8Scales()
    {
        var scales = Elements("weight_scale") + Elements("weight_scale_inv") + Elements("scale_inv");
        if (LinearStack.Of(Shape, hiddenSize) is not { } stack || scales <= stack.Count)
            return "tensor";
        return scales == stack.Count * stack.Out ? "channel" : $"block{Math.Round(Math.Sqrt((double)Shape.Elements / scales)).ToString(CultureInfo.InvariantCulture)}";
    }

    private bool Has(string part) => parts.Any(each => each.Part == part);

    private TensorHeader Header(string part) => parts.First(each => each.Part == part).Header;

    private long Elements(string part) => parts.Where(each => each.Part == part).Sum(each => each.Header.Elements);
}
