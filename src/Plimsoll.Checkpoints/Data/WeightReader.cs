using System.Collections.Immutable;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Checkpoints.Data;

/// <summary>Reads the weights of a checkpoint as floats, whoever quantized them and however they are packed.</summary>
/// <remarks>Opening reads nothing but small side tensors (scales, zero points, the state of bitsandbytes); codes are read as rows are asked for.</remarks>
public sealed class WeightReader : IDisposable
{
    private readonly QuantizationConfig? quantization;
    private readonly Dictionary<string, ParameterStorage> byName = new(StringComparer.Ordinal);

    /// <param name="quantization">What <c>config.json</c> says of the quantization; null for plain weights and for GGUF.</param>
    public WeightReader(Checkpoint checkpoint, QuantizationConfig? quantization)
    {
        this.quantization = quantization;
        Parameters = ParameterGrouping.Group(checkpoint.Tensors, quantization);
        foreach (var parameter in Parameters)
            byName.TryAdd(parameter.Name, parameter);
    }

    /// <summary>Everything that the checkpoint stores, in the order of its tensors.</summary>
    public ImmutableArray<ParameterStorage> Parameters { get; }

    /// <summary>The bytes behind the weights.</summary>
    public TensorReader Tensors { get; } = new();

    /// <summary>The parameter with this name; null when there is none.</summary>
    /// <inheritdoc cref="Open(ParameterStorage)" path="/exception"/>
    public StoredWeight? Find(string name) => byName.TryGetValue(name, out var parameter) ? Open(parameter) : null;

    /// <summary>The numbers of one plain tensor, whatever it belongs to.</summary>
    /// <inheritdoc cref="Open(ParameterStorage)" path="/exception"/>
    public StoredWeight Open(TensorHeader tensor) => Open(new ParameterStorage
    {
        Name = tensor.Name, Parts = [new("", tensor)], Layout = StorageLayout.Plain, Dimensions = tensor.Dimensions, Elements = tensor.Elements, TypeName = tensor.Format.Name,
    });

    /// <summary>The weights of a parameter.</summary>
    /// <exception cref="CheckpointFormatException">Its tensors contradict each other, or their layout is not known here.</exception>
    /// <exception cref="IOException">A side tensor cannot be read.</exception>
    public StoredWeight Open(ParameterStorage parameter)
    {
        foreach (var problem in LayoutCheck.Find(parameter))
            throw new CheckpointFormatException(parameter.Main.File, null, $"tensors of parameter '{parameter.Name}' that fit each other", problem.Text);
        try
        {
            return OpenLayout(parameter);
        }
        catch (OverflowException failure)
        {
            throw new CheckpointFormatException(parameter.Main.File, parameter.Main.Offset, $"a size of parameter '{parameter.Name}' that fits memory", parameter.TypeName, failure);
        }
    }

    public void Dispose() => Tensors.Dispose();

    private StoredWeight OpenLayout(ParameterStorage parameter) => parameter.Layout switch
    {
        StorageLayout.Plain => Plain(parameter),
        StorageLayout.Gptq => new GptqWeight(parameter, quantization?.CheckpointFormat == "gptq_v2", Tensors),
        StorageLayout.Awq => new AwqWeight(parameter, Tensors),
        StorageLayout.PackedIntegers => PackedIntegerWeight.Open(parameter, Tensors),
        StorageLayout.BitsAndBytes8 => LlmInt8(parameter),
        StorageLayout.BitsAndBytes4 => BitsAndBytesWeight.Open(parameter, Tensors),
        StorageLayout.Scaled => Scaled(parameter, parameter.Find("")!, parameter.FindAny("weight_scale", "weight_scale_inv", "scale_inv", "scale")!),
        StorageLayout.Nvfp4 or StorageLayout.Mxfp4 => new Fp4Weight(parameter, Tensors),
        StorageLayout.TorchAo when parameter is { Bits: 8, Dimensions: not null } => Scaled(parameter, parameter.FindAny("_weight_qdata", "qdata")!,
            parameter.FindAny("_weight_scale", "scale") ?? throw Unreadable(parameter, parameter.Main, $"{parameter.TypeName} without scales")),
        StorageLayout.TorchAo when parameter is { Bits: 4 } => AffineWeight.TorchAo(parameter, Tensors),
        StorageLayout.Mlx when parameter.Dimensions is not null => AffineWeight.Mlx(parameter, Tensors),
        _ => throw Unreadable(parameter, parameter.Main, $"{parameter.Layout} ({parameter.TypeName})"),
    };

    private Int8Weight LlmInt8(ParameterStorage parameter)
    {
        // 0 is row-major; others are tile orders of one generation of GPUs.
        if (parameter.Find("weight_format") is { } format && SideTensor.Floats(Tensors, format) is not [0])
            throw Unreadable(parameter, format, "a weight_format other than 0, row-major");
        return new(parameter, parameter.Find("")!, parameter.Find("SCB")!, 127, null, Tensors);
    }

    private StoredWeight Scaled(ParameterStorage parameter, TensorHeader codes, TensorHeader scale) => codes.Format == NumberFormats.Int8
        ? new Int8Weight(parameter, codes, scale, 1, parameter.FindAny("weight_zero_point", "_weight_zero_point", "zero_point"), Tensors)
        : new ScaledWeight(parameter, codes, scale, parameter.GroupSize, Tensors);

    private StoredWeight Plain(ParameterStorage parameter)
    {
        var tensor = parameter.Main;
        if (tensor.Format.Kind == NumberFormatKind.Block)
        {
            var codec = BlockCodecs.Find(tensor.Format) ?? throw Unreadable(parameter, tensor, $"the type {tensor.Format}");
            var blocks = new BlockWeight(parameter, tensor, codec, Tensors);
            if (parameter.Find("scale") is { } scale)
                return new ScaledBlockWeight(blocks, SideTensor.Floats(Tensors, scale));
            return BlockIntegers.Reads(tensor.Format) ? new BlockIntegers(parameter, tensor, blocks, Tensors) : blocks;
        }
        if (!ElementCodec.CanDecode(tensor.Format))
            throw Unreadable(parameter, tensor, $"the type {tensor.Format}");
        return tensor.Strides is { } strides ? new StridedWeight(parameter, tensor, strides, Tensors) : new PlainWeight(parameter, tensor, Tensors);
    }

    private static CheckpointFormatException Unreadable(ParameterStorage parameter, TensorHeader tensor, string found) =>
        new(tensor.File, tensor.Offset, $"parameter '{parameter.Name}' in a layout whose weights can be read", found);
}
