namespace Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

/// <summary>Chooses the scales, zero points and codes of whole rows. Where they are put is for the <see cref="IntegerPacking"/>.</summary>
internal abstract class IntegerRounder
{
    /// <summary>Rows that are chosen together.</summary>
    public virtual int RowAlignment => 1;

    /// <param name="values">(rows, columns).</param>
    public abstract void Round(ReadOnlySpan<float> values, IntegerRows rows);
}
