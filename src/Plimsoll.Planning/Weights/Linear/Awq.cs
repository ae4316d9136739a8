namespace Plimsoll.Planning.Weights.Linear;

/// <summary>AWQ checkpoints, <c>gemm</c> layout: 4 bits, eight output columns to a 32-bit word.</summary>
internal static class Awq
{
    /// <param name="group">Input features that share a scale; −1 for the whole row.</param>
    /// <remarks>Per layer: qweight (i, o/8) I32, qzeros (i/g, o/8) I32, scales (i/g, o) F16. Source: AutoAWQ packer.</remarks>
    public static LinearMethod Method(int group) => new()
    {
        Name = $"awq:4bit-g{group}",
        Summary = $"AWQ, 4 bits, {(group < 0 ? "one scale and zero point per row" : $"a scale and zero point per {group} inputs")}; embeddings, norms, router and head in 16 bits",
        Codes = PlainScheme.Integer(4),
        Requirement = $"AWQ needs inputs in whole groups of {group} and outputs in eights",
        BytesOfLayer = (outputs, inputs) =>
        {
            var groupLength = group < 0 ? inputs : group;
            if (inputs % groupLength != 0 || outputs % 8 != 0)
                return null;
            var groups = inputs / groupLength;
            return checked(inputs * outputs / 2 + groups * outputs / 2 + groups * outputs * 2);
        },
    };
}
