using System.Numerics;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The working memory of one super-block while it is encoded.</summary>
internal unsafe struct SuperBlock
{
    public const int Length = 256;

    /// <summary>Magnitudes; where signs must be even in number one of eight may be negative.</summary>
    public fixed float X[Length];

    /// <summary>Weights of the errors, their roots, and w · x.</summary>
    public fixed float W[Length];
    public fixed float Root[Length];
    public fixed float WX[Length];

    /// <summary>The signs of each eight weights, and a byte to write over.</summary>
    public fixed byte Signs[Length / 8 + 1];

    /// <summary>The scale that the search of each sub-block begins with, where another search finds it.</summary>
    public fixed float Starts[Length / 16];

    /// <summary>The scale of each sub-block, not negative.</summary>
    public fixed float Scales[Length / 16];

    /// <summary>The sub-blocks that count as zero, a bit each.</summary>
    public uint Flat;

    /// <summary>The point of each group of eight or four weights.</summary>
    public fixed ushort Codes[Length / 4];

    /// <summary>Fills magnitudes, weights and signs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill<T>(float* values, float* importance, LatticeRules rules) where T : unmanaged, ICodeLanes<T>
    {
        Flat = 0;
        var sum = 0f;
        for (var i = 0; i < Length; i++)
            sum += values[i] * values[i];
        var variance = rules.Variance * sum / Length;
        var (added, zero) = (T.Create(importance == null ? rules.PlainVariance * variance : variance), T.Create(0));
        fixed (SuperBlock* self = &this)
        {
            for (var i = 0; i < Length; i += T.Count)
            {
                var value = *(T*)(values + i);
                var square = added + value * value;
                var weight = importance == null ? square : *(T*)(importance + i) * T.Sqrt(square);
                var magnitude = T.Abs(value);
                *(T*)(self->X + i) = magnitude;
                *(T*)(self->W + i) = weight;
                *(T*)(self->Root + i) = T.Sqrt(weight);
                *(T*)(self->WX + i) = weight * magnitude;
                var signs = T.Bits(T.GreaterThan(zero, value));
                if (i % 8 == 0)
                    *(ushort*)(self->Signs + i / 8) = 0;
                for (var shift = 0; shift < T.Count; shift += 8)
                    self->Signs[(i + shift) / 8] |= (byte)(signs >> shift << i % 8);
            }
            for (var group = 0; group < Length / 8 && !rules.HasPlainSigns; group++)
            {
                if ((BitOperations.PopCount(self->Signs[group]) & 1) != 0)
                    FlipLeast(self, values, group);
            }
        }
    }

    /// <summary>Makes the number of minus signs even, at the weight that matters least.</summary>
    private static void FlipLeast(SuperBlock* self, float* values, int group)
    {
        var least = 8 * group;
        var smallest = self->W[least] * values[least] * values[least];
        for (var i = least + 1; i < 8 * group + 8; i++)
        {
            var size = self->W[i] * values[i] * values[i];
            if (size < smallest)
                (smallest, least) = (size, i);
        }
        self->X[least] = -self->X[least];
        self->WX[least] = -self->WX[least];
        self->Signs[group] ^= (byte)(1 << (least & 7));
    }
}
