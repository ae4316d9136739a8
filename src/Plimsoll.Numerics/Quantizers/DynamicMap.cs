namespace Plimsoll.Numerics.Quantizers;

/// <summary>The 8-bit "dynamic" maps of bitsandbytes: values of seven decades, the larger the decade the finer, and 0 and 1 besides.</summary>
/// <remarks>Source: bitsandbytes functional.py, create_dynamic_map; 8-bit optimizers (Dettmers 2021, arXiv 2110.02861).</remarks>
public static class DynamicMap
{
    /// <summary>Values of both signs, ascending: the smallest decade has one of each, every larger one twice as many.</summary>
    public static ReadOnlySpan<float> Signed => SignedValues;

    /// <summary>Values from 0 to 1, ascending: two in the smallest decade.</summary>
    public static ReadOnlySpan<float> Unsigned => UnsignedValues;

    private static readonly float[] SignedValues = Create(isSigned: true);

    private static readonly float[] UnsignedValues = Create(isSigned: false);

    /// <summary>Midpoints of neighbouring values: the nearest value of x is the number of midpoints below it.</summary>
    public static float[] Midpoints(ReadOnlySpan<float> map)
    {
        var midpoints = new float[map.Length - 1];
        for (var at = 0; at < midpoints.Length; at++)
            midpoints[at] = (float)(((double)map[at] + map[at + 1]) / 2);
        return midpoints;
    }

    private static float[] Create(bool isSigned)
    {
        var values = new List<float> { 0, 1 };
        for (var decade = 0; decade < 7; decade++)
        {
            var steps = (isSigned ? 1 : 2) << decade;
            for (var step = 0; step < steps; step++)
            {
                // The mean of two neighbours of linspace(0.1, 1, steps + 1).
                var mean = 0.1 + 0.9 * (step + 0.5) / steps;
                var value = (float)(mean * Math.Pow(10, decade - 6));
                values.Add(value);
                if (isSigned)
                    values.Add(-value);
            }
        }
        values.Sort();
        return [.. values];
    }
}
