namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>What a sub-block does after the best candidate is known.</summary>
internal enum Refinement
{
    /// <summary>The groups that were no points of the lattice look for one again, under the scale that was found.</summary>
    OffLattice,

    /// <summary>If any group was none, all look again.</summary>
    AllIfAnyOffLattice,

    /// <summary>All groups look again.</summary>
    All,
}

/// <summary>The constants in which the encoders of IQ2 and IQ3 differ. Source: the functions <c>quantize_row_iq…_impl</c> of ggml-quants.c.</summary>
internal sealed record LatticeRules
{
    public required Func<Lattice> Lattice { get; init; }

    /// <summary>Weights that share a scale.</summary>
    public required int SubLength { get; init; }

    /// <summary>σ² of a super-block is this times the mean square.</summary>
    public required float Variance { get; init; }

    /// <summary>Without importances the weight of x is x² + this · σ².</summary>
    public float PlainVariance { get; init; }

    /// <summary>A sub-block whose largest magnitude is smaller counts as zero.</summary>
    public required float SmallestMagnitude { get; init; }

    /// <summary>Whether a byte stores the signs of eight weights, or seven bits do and the number of minus signs must be even.</summary>
    public required bool HasPlainSigns { get; init; }

    /// <summary>Candidates of the inverse scale: (the largest level + c · step) / magnitude for c from −range to range.</summary>
    public required int Range { get; init; }

    public required float Step { get; init; }

    public required Refinement Refinement { get; init; }

    /// <summary>What the super-block's scale is multiplied with before it is stored.</summary>
    public required float ScaleFactor { get; init; }

    /// <summary>The step between the scales that the sixteen codes stand for: scale = d · (code + ½) · step.</summary>
    public required float ScaleStep { get; init; }

    /// <summary>Whether a super-block without any scale is all zero, or keeps points and signs under the scale zero.</summary>
    public bool ClearsFlat { get; init; }
}
