using System.Runtime.Intrinsics;

namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>The nearest of a format's levels, for sixteen weights at a time.</summary>
internal sealed class LevelTable
{
    private readonly float[] levels;

    /// <summary>Half way between neighbours; null for levels that are one apart.</summary>
    private readonly float[]? limits;

    /// <param name="levels">Ascending.</param>
    public LevelTable(ReadOnlySpan<float> levels)
    {
        this.levels = levels.ToArray();
        var halves = this.levels.Zip(this.levels.Skip(1), (low, high) => (low + high) / 2).ToArray();
        limits = this.levels.Zip(this.levels.Skip(1), (low, high) => high - low).All(step => step == 1) ? null : halves;
    }

    /// <summary>The code whose scale · level + offset is nearest, and that number.</summary>
    public Vector512<float> Nearest(Vector512<float> wanted, Vector512<float> scale, Vector512<float> offset, out Vector512<float> value)
    {
        // A scale of zero leaves nothing to choose: the level nearest zero stands for all.
        var isZero = Vector512.Equals(scale, Vector512<float>.Zero);
        var position = Vector512.ConditionalSelect(isZero, Vector512<float>.Zero, (wanted - offset) / scale);
        var code = limits is null
            ? Vector512.Min(Vector512.Max(Vector512.Round(position - Vector512.Create(levels[0])), Vector512<float>.Zero), Vector512.Create((float)(levels.Length - 1)))
            : Search(position);
        value = (limits is null ? code + Vector512.Create(levels[0]) : Look(code)) * scale + offset;
        return code;
    }

    private Vector512<float> Search(Vector512<float> position)
    {
        var code = Vector512<float>.Zero;
        foreach (var limit in limits!)
            code += Vector512.ConditionalSelect(Vector512.GreaterThan(position, Vector512.Create(limit)), Vector512<float>.One, Vector512<float>.Zero);
        return code;
    }

    private Vector512<float> Look(Vector512<float> codes)
    {
        Span<float> values = stackalloc float[Vector512<float>.Count];
        codes.CopyTo(values);
        foreach (ref var value in values)
            value = levels[(int)value];
        return Vector512.Create<float>(values);
    }
}
