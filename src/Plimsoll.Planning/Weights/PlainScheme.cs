using Plimsoll.Models;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Weights;

/// <summary>Every parameter in one element type, no scales: parameters × bits / 8.</summary>
/// <param name="name">The name as typed.</param>
/// <param name="format">The storage format of every tensor.</param>
/// <param name="note">What an engine would load instead; null where engines do load this.</param>
internal sealed class PlainScheme(string name, NumberFormat format, string? note) : PrecisionScheme
{
    public override string Name => name;

    public override PrecisionFamily Family => PrecisionFamily.Plain;

    public override string Summary => $"every parameter in {format.Name}, {format.BitsPerWeight:0.###} bits, no scales";

    /// <summary>An integer of any width, packed densely without scales.</summary>
    public static NumberFormat Integer(int bits) => NumberFormats.Find($"int{bits}") ?? new NumberFormat
    {
        Name = $"INT{bits}",
        Kind = NumberFormatKind.Integer,
        BlockLength = 8,
        BlockBytes = bits,
        Summary = $"{bits}-bit integers packed densely, scales not counted",
    };

    public override WeightSet Apply(ModelShape shape) => new(Name, [.. shape.Tensors.Select(Store)])
    {
        Confidence = shape.Confidence,
        Notes = note is null ? [] : [note],
    };

    private WeightTensor Store(TensorShape tensor) =>
        new(tensor, format, checked(format.BytesFor(tensor.ElementsOfOne) * tensor.Count));
}
