using static Plimsoll.Planning.Weights.Linear.LinearMethod;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>GPTQ checkpoints: codes packed along the input features into 32-bit words.</summary>
internal static class Gptq
{
    /// <param name="bits">2, 3, 4 or 8.</param>
    /// <param name="group">Input features that share a scale; −1 for the whole row.</param>
    /// <remarks>
    /// Per layer: qweight (i·bits/32, o) I32, qzeros (⌈i/g⌉, o·bits/32) I32, scales (⌈i/g⌉, o) F16, g_idx (i) I32. The index is stored with and without
    /// act-order. Source: AutoGPTQ and GPTQModel packers.
    /// </remarks>
    public static LinearMethod Method(int bits, int group) => new()
    {
        Name = $"gptq:{bits}bit-g{group}",
        Summary = $"GPTQ, {bits} bits, {(group < 0 ? "one scale and zero point per row" : $"a scale and zero point per {group} inputs")}; embeddings, norms, router and head in 16 bits",
        Codes = PlainScheme.Integer(bits),
        Requirement = "GPTQ packs 32 inputs and 32 outputs at a time",
        BytesOfLayer = (outputs, inputs) =>
        {
            if (inputs % 32 != 0 || outputs % 32 != 0)
                return null;
            var groups = group < 0 ? 1 : Units(inputs, group);
            return checked(inputs * bits / 8 * outputs + groups * outputs * bits / 8 + groups * outputs * 2 + inputs * 4);
        },
    };
}
