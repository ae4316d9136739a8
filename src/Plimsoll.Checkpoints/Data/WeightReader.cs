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
    /// <inheritdoc cref="Open" path="/exception"/>
    public StoredWeight? Find(string name) => byName.TryGetValue(name, out var parameter) ? Open(parameter) : null;

    /// <summary>The weights of a parameter.</summary>
    /// <exception cref="CheckpointFormatException">Its tensors contradict each other, or their layout is not known here.</exception>
    /// <exception cref="IOException">A side tensor cannot be read.</exception>
    public StoredWeight Open(ParameterStorage parameter) => parameter.Layout switch
    {
        StorageLayout.Plain => Plain(parameter),
        _ => throw Unreadable(parameter, parameter.Main, $"the layout {parameter.Layout} ({parameter.TypeName})"),
    };

    public void Dispose() => Tensors.Dispose();

    private StoredWeight Plain(ParameterStorage parameter)
    {
        var tensor = parameter.Main;
        if (tensor.Format.Kind == NumberFormatKind.Block)
        {
            var codec = BlockCodecs.Find(tensor.Format) ?? throw Unreadable(parameter, tensor, $"the type {tensor.Format}");
            return new BlockWeight(parameter, tensor, codec, Tensors);
        }
        if (!ElementCodec.CanDecode(tensor.Format))
            throw Unreadable(parameter, tensor, $"the type {tensor.Format}");
        return tensor.Strides is { } strides ? new StridedWeight(parameter, tensor, strides, Tensors) : new PlainWeight(parameter, tensor, Tensors);
    }

    private static CheckpointFormatException Unreadable(ParameterStorage parameter, TensorHeader tensor, string found) =>
        new(tensor.File, tensor.Offset, $"parameter '{parameter.Name}' in a layout whose weights can be read", found);
}
