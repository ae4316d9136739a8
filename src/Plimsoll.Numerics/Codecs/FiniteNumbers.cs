using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Codecs;

/// <summary>Finds and replaces numbers that are not finite.</summary>
public static class FiniteNumbers
{
    /// <summary>The exponent bits of a float, all set in infinities and NaN only.</summary>
    private const uint ExponentMask = 0x7F80_0000;

    /// <summary>The index of the first NaN or infinity; -1 when there is none.</summary>
    public static int FindOther(ReadOnlySpan<float> values)
    {
        var mask = Vector512.Create(ExponentMask);
        var vectors = MemoryMarshal.Cast<float, Vector512<uint>>(values);
        var start = vectors.Length * Vector512<uint>.Count;
        for (var i = 0; i < vectors.Length; i++)
        {
            if (Vector512.EqualsAny(vectors[i] & mask, mask))
            {
                start = i * Vector512<uint>.Count;
                break;
            }
        }
        for (var i = start; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return i;
        }
        return -1;
    }

    /// <summary>Puts 0 in the place of everything that is not finite.</summary>
    /// <returns>How many there were.</returns>
    public static int ReplaceOthers(Span<float> values)
    {
        var count = 0;
        for (var at = FindOther(values); at >= 0;)
        {
            values[at] = 0;
            count++;
            var next = FindOther(values[(at + 1)..]);
            at = next < 0 ? -1 : at + 1 + next;
        }
        return count;
    }
}
