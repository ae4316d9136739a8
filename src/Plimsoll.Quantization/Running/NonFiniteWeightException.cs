using System.Globalization;

namespace Plimsoll.Quantization.Running;

/// <summary>A weight of the source is NaN or infinite: no format can hold what it stood for.</summary>
public sealed class NonFiniteWeightException(string tensor, long row, long column, float value)
    : Exception(string.Create(CultureInfo.InvariantCulture, $"{tensor}[{row}, {column}] is {Word(value)}: the source is damaged, or overflowed when it was saved"))
{
    /// <summary>The name of the source parameter.</summary>
    public string Tensor { get; } = tensor;

    public long Row { get; } = row;

    public long Column { get; } = column;

    private static string Word(float value) => float.IsNaN(value) ? "NaN" : value > 0 ? "infinite" : "minus infinite";
}
