using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Layouts;

/// <summary>Recognizes how a quantized parameter is stored and how many weights its packed tensors stand for.</summary>
/// <remarks>Layouts: AutoGPTQ and AutoAWQ packers, bitsandbytes functional.py, compressed-tensors compressors, ModelOpt export, gpt-oss, HQQ, torchao, mlx-lm.</remarks>
internal static class LayoutReader
{
    private const int WordBits = 32;

    /// <summary>Squares whose weights share a scale, in the order they are tried; 128 is DeepSeek's.</summary>
    private static readonly int[] BlockSides = [128, 64, 32, 256, 512, 16];

    /// <summary>Block sizes of bitsandbytes (functional.py, quantize_4bit); 64 is the default.</summary>
    private static readonly int[] NibbleBlocks = [64, 32, 128, 256, 512, 1024, 2048, 4096];

    public static ParameterStorage Read(string name, ImmutableArray<StoredPart> parts, QuantizationScheme? scheme)
    {
        var storage = new ParameterStorage { Name = name, Parts = parts, Layout = StorageLayout.Incomplete, TypeName = "packed words of impossible size", Scheme = scheme };
        try
        {
            return Recognize(storage);
        }
        catch (OverflowException)
        {
            return storage;
        }
    }

    private static ParameterStorage Recognize(ParameterStorage storage)
    {
        if (storage.Find("qweight") is { } words)
            return Words(storage, words);
        if (storage.Find("weight_packed") is { } packed)
            return packed.Format.BlockBytes == 1 ? Nibbles(storage, packed, storage.FindAny("weight_global_scale")) : PackedIntegers(storage, packed);
        if (storage.Find("blocks") is { } blocks)
            return Blocks(storage, blocks);
        if (storage.Find("W_q") is { } hqq)
            return Hqq(storage, hqq);
        if (storage.FindAny("_weight_qdata", "qdata") is { } data)
            return TorchAo(storage, data);
        if (storage.FindAny("q_weight", "trellis", "codes") is not null)
            return storage with { Layout = StorageLayout.Codebook, TypeName = Named(storage.Scheme?.Describe() ?? "codebook") };
        return storage.Find("") is { } weight ? Weight(storage, weight) : storage;
    }

    /// <summary>A tensor under the parameter's own name, with scales beside it or announced by the configuration.</summary>
    private static ParameterStorage Weight(ParameterStorage storage, TensorHeader weight)
    {
        if (storage.Find("absmax") is not null)
            return BitsAndBytes(storage, weight);
        if (storage.Find("SCB") is not null)
            return AsStored(storage, weight, StorageLayout.BitsAndBytes8, "LLM.int8()") with { Bits = 8 };
        var scale = storage.FindAny("weight_scale", "weight_scale_inv", "scale_inv", "scale");
        if (weight.Format == NumberFormats.UInt8 && (storage.Find("weight_scale_2") ?? scale) is not null && storage.Scheme is null or { Bits: 4, Code: QuantizationCode.Float })
            return Nibbles(storage, weight, storage.Find("weight_scale_2"));
        if (weight.Format.Name == "UINT32" && storage.Find("scales") is { } scales)
            return Mlx(storage, weight, scales);
        if (weight.Format == NumberFormats.Int8 && scale?.Format == NumberFormats.E8M0)
            return Nibbles(storage, weight, null);
        if (weight.Format == NumberFormats.UInt8 && storage.Scheme?.Code == QuantizationCode.Ternary)
            return Grown(storage, weight, 0, 4, StorageLayout.Ternary, "BitNet ternary") with { Bits = 2 };
        if (weight.Format.BlockBytes == 1 && weight.Format.BlockLength == 1 && (scale is not null || storage.Scheme is not null))
            return Scaled(storage, weight, scale);
        return AsStored(storage, weight, StorageLayout.Plain, weight.Format.Name);
    }

    /// <summary>GPTQ packs along the inputs, AWQ along the outputs; the width of the scales tells them apart.</summary>
    private static ParameterStorage Words(ParameterStorage storage, TensorHeader words)
    {
        var scales = storage.Find("scales");
        if (words.Dimensions is not [var rows, var columns] || scales?.Dimensions is not [var groups, var outputs])
            return Unsized(storage, words, StorageLayout.Incomplete, "packed words without scales");
        if (outputs == columns)
        {
            var bits = storage.Find("g_idx")?.Dimensions is [var indexed] && indexed > 0 && checked(rows * WordBits) % indexed == 0 ? rows * WordBits / indexed
                : storage.Find("qzeros")?.Dimensions is [_, var zeros] && outputs > 0 && checked(zeros * WordBits) % outputs == 0 ? zeros * WordBits / outputs
                : (long)(storage.Scheme?.Bits ?? 0);
            if (bits is not (2 or 3 or 4 or 5 or 6 or 7 or 8))
                return Unsized(storage, words, StorageLayout.Gptq, "GPTQ");
            var inputs = checked(rows * WordBits) / bits;
            return Sized(storage, StorageLayout.Gptq, outputs, inputs, (int)bits, Group(inputs, groups), $"GPTQ {bits}-bit");
        }
        return outputs / 8 == columns && outputs % 8 == 0
            ? Sized(storage, StorageLayout.Awq, outputs, rows, 4, Group(rows, groups), "AWQ 4-bit")
            : Unsized(storage, words, storage.Scheme?.Method == QuantizationMethod.Awq ? StorageLayout.Awq : StorageLayout.Incomplete, "packed words");
    }

    private static ParameterStorage PackedIntegers(ParameterStorage storage, TensorHeader packed)
    {
        if (storage.Scheme is not { Code: QuantizationCode.Integer } scheme || packed.Dimensions is not [var outputs, var words])
            return storage with { Layout = StorageLayout.PackedIntegers, TypeName = "packed integers (compressed-tensors)" };
        var bits = (int)scheme.Bits;
        var groups = storage.Find("weight_scale")?.Dimensions is [_, var columns] ? columns : 1;
        var inputs = checked(words * WordBits) / bits;
        // Rows are padded to whole words; whole groups tell where the weights end.
        if (scheme.GroupSize is { } size && groups <= inputs / size && groups * size > inputs - (WordBits / bits + 1))
            inputs = groups * size;
        return Sized(storage, StorageLayout.PackedIntegers, outputs, inputs, bits, Group(inputs, groups), $"INT{bits} packed (compressed-tensors)");
    }

    private static ParameterStorage Nibbles(ParameterStorage storage, TensorHeader packed, TensorHeader? global)
    {
        var scale = storage.FindAny("weight_scale", "scale");
        var isNvfp4 = global is not null || scale?.Format == NumberFormats.Fp8E4M3 || storage.Scheme?.IsNvFp4 == true;
        var (layout, group) = isNvfp4 ? (StorageLayout.Nvfp4, 16) : (StorageLayout.Mxfp4, 32);
        return Grown(storage, packed, packed.Dimensions.Length - 1, 2, layout, isNvfp4 ? "NVFP4" : "MXFP4") with { Bits = 4, GroupSize = group };
    }

    /// <summary>gpt-oss: (experts, rows, groups, 16 bytes).</summary>
    private static ParameterStorage Blocks(ParameterStorage storage, TensorHeader blocks) => blocks.Dimensions is [.. var outer, var groups, var bytes]
        ? storage with
        {
            Layout = StorageLayout.Mxfp4,
            Dimensions = [.. outer, checked(groups * bytes * 2)],
            Elements = checked(blocks.Elements * 2),
            Bits = 4,
            GroupSize = 32,
            TypeName = "MXFP4",
        }
        : Unsized(storage, blocks, StorageLayout.Mxfp4, "MXFP4");

    private static ParameterStorage BitsAndBytes(ParameterStorage storage, TensorHeader codes)
    {
        var isFp4 = storage.Parts.Any(part => part.Part == "bitsandbytes__fp4") || storage.Scheme is { Code: QuantizationCode.Float };
        var nested = storage.Find("nested_absmax") is null ? "" : ", double-quantized";
        // Two codes to a byte, whatever type the bytes are stored as (bnb_4bit_quant_storage).
        var elements = checked(codes.Bytes * 2);
        var scales = storage.Find("absmax")!.Elements;
        var block = NibbleBlocks.FirstOrDefault(block => Units(elements, block) == scales);
        return storage with
        {
            Layout = StorageLayout.BitsAndBytes4,
            Elements = elements,
            Bits = 4,
            GroupSize = block == 0 ? null : block,
            TypeName = $"{(isFp4 ? "FP4" : "NF4")}{(block == 0 ? "" : $", block {block}")}{nested} (bitsandbytes)",
        };
    }

    private static ParameterStorage Hqq(ParameterStorage storage, TensorHeader codes)
    {
        // Ten 3-bit codes share a word and leave two bits; only a configuration or the architecture tells how many are real.
        var bits = storage.Scheme is { Bits: 8 or 4 or 2 or 1 } scheme ? (int)scheme.Bits : (int?)null;
        return storage with
        {
            Layout = StorageLayout.Hqq,
            Elements = bits is { } known ? checked(codes.Bytes * 8) / known : null,
            Bits = bits,
            GroupSize = storage.Scheme?.GroupSize,
            TypeName = Named(storage.Scheme?.Describe() ?? "HQQ"),
        };
    }

    private static ParameterStorage TorchAo(ParameterStorage storage, TensorHeader data)
    {
        var name = $"{data.Format.Name} (torchao)";
        if (data.Format.BlockBytes == 1 && data.Format != NumberFormats.UInt8 && storage.Scheme is null or { Bits: 8 })
            return storage with { Layout = StorageLayout.TorchAo, Dimensions = data.Dimensions, Elements = data.Elements, Bits = 8, TypeName = name };
        return storage.Scheme is { Bits: 4 }
            ? storage with { Layout = StorageLayout.TorchAo, Elements = checked(data.Bytes * 2), Bits = 4, GroupSize = storage.Scheme.GroupSize, TypeName = Named(storage.Scheme.Describe()) }
            : storage with { Layout = StorageLayout.TorchAo, TypeName = name };
    }

    private static ParameterStorage Mlx(ParameterStorage storage, TensorHeader words, TensorHeader scales)
    {
        if (storage.Scheme is not { } scheme || words.Dimensions is not [.., var columns])
            return storage with { Layout = StorageLayout.Mlx, TypeName = "packed words (MLX)" };
        var bits = (int)scheme.Bits;
        var inputs = checked(columns * WordBits) / bits;
        return storage with
        {
            Layout = StorageLayout.Mlx,
            Dimensions = words.Dimensions.SetItem(words.Dimensions.Length - 1, inputs),
            Elements = checked(words.Elements * WordBits) / bits,
            Bits = bits,
            GroupSize = scales.Dimensions is [.., var groups] ? Group(inputs, groups) : null,
            TypeName = Named(scheme.Describe()),
        };
    }

    /// <summary>FP8 or INT8; how many scales there are tells what shares one.</summary>
    private static ParameterStorage Scaled(ParameterStorage storage, TensorHeader weight, TensorHeader? scale)
    {
        var sharing = "";
        int? block = null;
        if (scale is not null && weight.Dimensions is [.. var outer, var outputs, var inputs])
        {
            var matrices = outer.Aggregate(1L, (product, size) => checked(product * size));
            if (scale.Elements <= matrices)
                sharing = ", per tensor";
            else if (scale.Elements == checked(matrices * outputs))
                sharing = ", per channel";
            else if (BlockOf(storage.Scheme, scale.Elements, matrices, outputs, inputs) is { } side)
                (sharing, block) = ($", block {side}", side);
        }
        return AsStored(storage, weight, StorageLayout.Scaled, weight.Format.Name + sharing) with { Bits = 8, GroupSize = block };
    }

    private static int? BlockOf(QuantizationScheme? scheme, long scales, long matrices, long outputs, long inputs)
    {
        foreach (var side in scheme?.Block is { } known && known.Rows == known.Columns ? [known.Rows, .. BlockSides] : BlockSides)
        {
            if (checked(matrices * Units(outputs, side) * Units(inputs, side)) == scales)
                return side;
        }
        return null;
    }

    private static ParameterStorage AsStored(ParameterStorage storage, TensorHeader weight, StorageLayout layout, string typeName) =>
        storage with { Layout = layout, Dimensions = weight.Dimensions, Elements = weight.Elements, TypeName = typeName };

    private static ParameterStorage Sized(ParameterStorage storage, StorageLayout layout, long outputs, long inputs, int bits, int? group, string typeName) => storage with
    {
        Layout = layout,
        Dimensions = [outputs, inputs],
        Elements = checked(outputs * inputs),
        Bits = bits,
        GroupSize = group,
        TypeName = typeName + (group is { } size ? string.Create(CultureInfo.InvariantCulture, $", group {size}") : ", per channel"),
    };

    /// <summary>One dimension stands for several times as many weights.</summary>
    private static ParameterStorage Grown(ParameterStorage storage, TensorHeader codes, int dimension, int factor, StorageLayout layout, string typeName) => storage with
    {
        Layout = layout,
        Dimensions = dimension >= 0 && dimension < codes.Dimensions.Length ? codes.Dimensions.SetItem(dimension, checked(codes.Dimensions[dimension] * factor)) : null,
        Elements = checked(codes.Elements * factor),
        TypeName = typeName,
    };

    private static ParameterStorage Unsized(ParameterStorage storage, TensorHeader codes, StorageLayout layout, string typeName) => storage with
    {
        Layout = layout,
        Elements = storage.Scheme is { Bits: >= 1 } scheme && scheme.Bits == Math.Truncate(scheme.Bits) ? checked(codes.Bytes * 8) / (long)scheme.Bits : null,
        TypeName = typeName,
    };

    /// <summary>Inputs that share a scale; null when a row has one.</summary>
    private static int? Group(long inputs, long groups) => groups > 1 && Units(inputs, groups) <= int.MaxValue ? (int)Units(inputs, groups) : null;

    private static long Units(long amount, long unit) => amount / unit + (amount % unit == 0 ? 0 : 1);

    /// <summary>The description of a scheme goes on with what the table need not say.</summary>
    private static string Named(string description) => string.Join(", ", description.Split(", ").Take(2));
}
