using System.Collections.Immutable;

namespace Plimsoll.Models.Architectures;

/// <summary>Collects the layers and tensors of one model while an architecture walks through it.</summary>
internal sealed class ShapeBuilder
{
    private readonly ImmutableArray<TensorShape>.Builder tensors = ImmutableArray.CreateBuilder<TensorShape>();
    private readonly ImmutableArray<LayerShape>.Builder layers = ImmutableArray.CreateBuilder<LayerShape>();
    private readonly ImmutableArray<string>.Builder notes = ImmutableArray.CreateBuilder<string>();
    private TensorRole? everyRole;
    private int? layer;

    public Confidence Confidence { get; private set; } = Confidence.High;

    public ImmutableArray<string> Notes => notes.ToImmutable();

    public ImmutableArray<LayerShape> Layers => layers.ToImmutable();

    public ImmutableArray<TensorShape> Tensors => tensors.ToImmutable();

    /// <summary>Tensors added from here on belong to this decoder layer; null outside the layers.</summary>
    public void At(int? decoderLayer) => layer = decoderLayer;

    /// <summary>Every tensor added from here on has this role, whatever it is by itself: a whole tower, or an MTP layer. Null ends it.</summary>
    public void AllAs(TensorRole? role) => everyRole = role;

    public void AddLayer(LayerShape shape) => layers.Add(shape);

    public void Note(string note, Confidence confidence = Confidence.High)
    {
        if (!notes.Contains(note))
            notes.Add(note);
        if (confidence < Confidence)
            Confidence = confidence;
    }

    /// <summary>Any tensor, under its full name.</summary>
    public void Tensor(string name, TensorRole role, params ReadOnlySpan<long> dimensions) => Add(name, role, dimensions, 1, 1, linear: false);

    /// <summary>A linear layer: <c>name.weight</c> of (outputs, inputs), and <c>name.bias</c> where it has one.</summary>
    public void Linear(string name, long outputs, long inputs, TensorRole role, bool bias = false)
    {
        Add(name + ".weight", role, [outputs, inputs], 1, 1, linear: true);
        if (bias)
            Add(name + ".bias", role, [outputs], 1, 1, linear: false);
    }

    /// <summary>A linear layer stored as (inputs, outputs), under its full name.</summary>
    public void TransposedLinear(string name, long inputs, long outputs, TensorRole role) => Add(name, role, [inputs, outputs], 1, 1, linear: true);

    /// <summary>The same linear layer of every expert.</summary>
    public void ExpertLinear(string name, long outputs, long inputs, ExpertShape experts, bool bias = false)
    {
        Add(name + ".weight", TensorRole.Expert, [outputs, inputs], experts.Count, experts.UsedPerToken, linear: true);
        if (bias)
            Add(name + ".bias", TensorRole.Expert, [outputs], experts.Count, experts.UsedPerToken, linear: false);
    }

    /// <summary>The weights of all experts stacked in one tensor of (experts, …); dimensions are those of one expert.</summary>
    public void ExpertStack(string name, ExpertShape experts, bool linear, params ReadOnlySpan<long> dimensions) =>
        Add(name, TensorRole.Expert, dimensions, experts.Count, experts.UsedPerToken, linear);

    public void Norm(string name, long width, bool bias = false)
    {
        Add(name + ".weight", TensorRole.Norm, [width], 1, 1, linear: false);
        if (bias)
            Add(name + ".bias", TensorRole.Norm, [width], 1, 1, linear: false);
    }

    private void Add(string name, TensorRole role, ReadOnlySpan<long> dimensions, int count, int active, bool linear) =>
        tensors.Add(new TensorShape
        {
            Name = name,
            Dimensions = [.. dimensions],
            Role = everyRole ?? role,
            Layer = layer,
            Count = count,
            // A text token passes neither a tower nor an MTP layer.
            ActiveCount = everyRole is TensorRole.Tower or TensorRole.NextToken ? 0 : Math.Min(active, count),
            IsLinear = linear,
        });
}
