using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Tests;

/// <summary>The non-negative numbers of a layout, built by walking up from zero: an independent twin of <see cref="FloatLayout"/>.</summary>
/// <remarks>
/// By definition subnormals and the first binade are evenly spaced by the smallest subnormal, and the spacing doubles with every binade. So
/// value k+1 is value k plus a step that doubles every 2^mantissa codes. No bit of a code is looked at, and rounding is a search.
/// </remarks>
internal sealed class ReferenceGrid
{
    public ReferenceGrid(FloatLayout layout, int finiteCodes, double smallest)
    {
        Values = new double[finiteCodes + 1];
        var step = smallest;
        var perBinade = 1 << layout.MantissaBits;
        for (var code = 1; code <= finiteCodes; code++)
        {
            Values[code] = Values[code - 1] + step;
            if (code % perBinade == 0 && code > perBinade)
                step *= 2;
        }
        FiniteCodes = finiteCodes;
    }

    /// <summary>How many codes from zero up are finite; the next entry of <see cref="Values"/> is the first number that is not there.</summary>
    public int FiniteCodes { get; }

    public double[] Values { get; }

    /// <summary>The code of a non-negative value; <see cref="FiniteCodes"/> means overflow.</summary>
    public int Nearest(double value)
    {
        if (value >= Values[^1])
            return FiniteCodes;
        var above = Array.BinarySearch(Values, value);
        if (above >= 0)
            return above;
        above = ~above;
        var (down, up) = (value - Values[above - 1], Values[above] - value);
        return down < up || (down == up && (above - 1) % 2 == 0) ? above - 1 : above;
    }
}
