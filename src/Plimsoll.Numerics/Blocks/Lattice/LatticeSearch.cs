using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The scale and the lattice points of one sub-block that maximize (Σ w·x·q)² / Σ w·q² over some candidates of the scale, q the levels 2l + 1.</summary>
/// <remarks>
/// Under a candidate each weight is rounded to a level, and each group of levels that is no point of the lattice is replaced by the nearest point around it.
/// Candidates lie in lanes and are worked on together; only the search around a code goes candidate by candidate, with points in lanes. What is added is
/// added in the order of the elements, and the best candidate is found in the order of candidates, so the bytes are those of ggml-quants.c.
/// </remarks>
internal static unsafe class LatticeSearch<T, TCells>
    where T : unmanaged, ICodeLanes<T>
    where TCells : ILatticeCells
{
    /// <summary>Candidates that are worked on together; a range of 15 to either side needs 31.</summary>
    private const int Lanes = 32;

    private const int MostGroups = 8;

    private static float* Levels => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(TCells.Levels));

    /// <summary>What a search keeps while it runs; uninitialized until then.</summary>
    public struct Memory
    {
        public fixed float Inverses[Lanes];
        public fixed float SumsQX[Lanes];
        public fixed float SumsQ2[Lanes];

        /// <summary>(groups, elements, levels): x and √w, each as often as there are levels.</summary>
        public fixed float X[MostGroups * NearestPoint.Terms];
        public fixed float Root[MostGroups * NearestPoint.Terms];
        public fixed float Errors[NearestPoint.Terms];

        /// <summary>(groups, candidates).</summary>
        public fixed ushort Codes[MostGroups * Lanes];

        /// <summary>For each group the candidates, as bits, for which the rounded levels were a point.</summary>
        public fixed uint OnLattice[MostGroups];
    }

    /// <param name="first">The first weight of the sub-block in the super-block, whose codes receive the points.</param>
    /// <param name="largest">The magnitude that the highest level stands for under the middle candidate.</param>
    /// <param name="scale">The scale if no candidate is any good.</param>
    /// <returns>The scale; it may be negative.</returns>
    public static float Run(SuperBlock* block, int first, Lattice lattice, LatticeRules rules, float largest, float scale, Memory* memory)
    {
        var groups = rules.SubLength / TCells.Dimensions;
        var candidates = 2 * rules.Range + 1;
        for (var i = 0; i < Lanes; i++)
            memory->Inverses[i] = (2 * TCells.HighestLevel + 1 + Math.Min(i - rules.Range, rules.Range) * rules.Step) / largest;
        Spread(block, first, groups, memory);
        Round(block->X + first, groups, candidates, memory);
        for (var group = 0; group < groups; group++)
            MoveToLattice(lattice, group, candidates, memory);
        Sum(block, first, groups, candidates, memory);

        var best = 0f;
        var chosen = -1;
        for (var i = 0; i < candidates; i++)
        {
            var (sumQX, sumQ2) = (memory->SumsQX[i], memory->SumsQ2[i]);
            if (sumQ2 > 0 && sumQX * sumQX > best * sumQ2)
            {
                scale = sumQX / sumQ2;
                best = scale * sumQX;
                chosen = i;
            }
        }
        return Refine(block, first, groups, lattice, rules.Refinement, chosen, scale, memory);
    }

    private static void Spread(SuperBlock* block, int first, int groups, Memory* memory)
    {
        var levels = 1 << TCells.Bits;
        for (var i = 0; i < groups * TCells.Dimensions; i++)
        {
            new Span<float>(memory->X + i * levels, levels).Fill(block->X[first + i]);
            new Span<float>(memory->Root + i * levels, levels).Fill(block->Root[first + i]);
        }
    }

    /// <summary>The nearest levels under each candidate.</summary>
    private static void Round(float* x, int groups, int candidates, Memory* memory)
    {
        var (half, one, high) = (T.Create(0.5f), T.Create(1), T.Create(TCells.HighestLevel));
        for (var lane = 0; lane < candidates; lane += T.Count)
        {
            var inverse = *(T*)(memory->Inverses + lane);
            for (var group = 0; group < groups; group++)
            {
                var code = T.Create(0);
                for (var i = 0; i < TCells.Dimensions; i++)
                {
                    var level = T.NearestInt(half * (inverse * T.Create(x[group * TCells.Dimensions + i]) - one));
                    code += T.Max(T.Min(level, high), T.Create(0)) * T.Create(1 << TCells.Bits * i);
                }
                T.StoreCodes(code, ref memory->Codes[group * Lanes + lane]);
            }
        }
    }

    private static void MoveToLattice(Lattice lattice, int group, int candidates, Memory* memory)
    {
        var neighbourhoods = lattice.Neighbourhoods;
        var codes = memory->Codes + group * Lanes;
        var onLattice = 0u;
        for (var i = 0; i < candidates; i++)
        {
            if (lattice.IndexOf[codes[i]] >= 0)
                onLattice |= 1u << i;
            else
                codes[i] = Nearest(neighbourhoods, codes[i], group, 1 / memory->Inverses[i], memory);
        }
        memory->OnLattice[group] = onLattice;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort Nearest(Neighbourhoods neighbourhoods, ushort code, int group, float scale, Memory* memory)
    {
        var start = group * NearestPoint.Terms;
        NearestPoint.Errors<T>(scale, Levels, memory->X + start, memory->Root + start, memory->Errors);
        var points = neighbourhoods.Around(code, out var count);
        return NearestPoint.Find<T, TCells>(points, count, memory->Errors);
    }

    /// <summary>Σ w·x·q and Σ w·q² of each candidate.</summary>
    private static void Sum(SuperBlock* block, int first, int groups, int candidates, Memory* memory)
    {
        for (var lane = 0; lane < candidates; lane += T.Count)
        {
            var sumQX = T.Create(0);
            var sumQ2 = T.Create(0);
            for (var group = 0; group < groups; group++)
            {
                var codes = T.LoadCodes(in memory->Codes[group * Lanes + lane]);
                var w = block->W + first + group * TCells.Dimensions;
                var wx = block->WX + first + group * TCells.Dimensions;
                for (var i = 0; i < TCells.Dimensions; i++)
                {
                    var q = TCells.Look(Levels, codes);
                    codes = T.ShiftRight(codes, TCells.Bits);
                    sumQX += T.Create(wx[i]) * q;
                    sumQ2 += T.Create(w[i]) * q * q;
                }
            }
            *(T*)(memory->SumsQX + lane) = sumQX;
            *(T*)(memory->SumsQ2 + lane) = sumQ2;
        }
    }

    /// <summary>Takes the points of the chosen candidate, or better ones under its scale, and gives the scale that is best for them.</summary>
    private static float Refine(SuperBlock* block, int first, int groups, Lattice lattice, Refinement refinement, int chosen, float scale, Memory* memory)
    {
        var codes = block->Codes + first / TCells.Dimensions;
        var off = 0u;
        for (var group = 0; group < groups; group++)
        {
            codes[group] = chosen < 0 ? (ushort)0 : memory->Codes[group * Lanes + chosen];
            // Without a chosen candidate the groups count as points only where nothing but those off the lattice is refined.
            var isOn = chosen < 0 ? refinement == Refinement.OffLattice : (memory->OnLattice[group] >> chosen & 1) != 0;
            off |= isOn ? 0 : 1u << group;
        }
        if (refinement == Refinement.All || refinement == Refinement.AllIfAnyOffLattice && off != 0)
            off = uint.MaxValue;
        if (off == 0 || !(scale > 0))
            return scale;

        var sumQX = 0f;
        var sumQ2 = 0f;
        for (var group = 0; group < groups; group++)
        {
            var start = first + group * TCells.Dimensions;
            if ((off >> group & 1) != 0)
            {
                var code = Rounded(block->X + start, 1 / scale);
                codes[group] = lattice.IndexOf[code] >= 0 ? code : Nearest(lattice.Neighbourhoods, code, group, scale, memory);
            }
            for (var i = 0; i < TCells.Dimensions; i++)
            {
                var q = Levels[codes[group] >> i * TCells.Bits & ((1 << TCells.Bits) - 1)];
                sumQX += block->WX[start + i] * q;
                sumQ2 += block->W[start + i] * q * q;
            }
        }
        return sumQ2 > 0 ? sumQX / sumQ2 : scale;
    }

    /// <summary>The nearest levels of one group.</summary>
    private static ushort Rounded(float* x, float inverse)
    {
        var code = 0;
        for (var i = 0; i < TCells.Dimensions; i++)
            code |= Math.Clamp(Rounding.NearestInt(0.5f * (inverse * x[i] - 1)), 0, TCells.HighestLevel) << i * TCells.Bits;
        return (ushort)code;
    }
}
