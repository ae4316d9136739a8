using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Layers;

/// <summary>Which tokens of a batch visit which experts. Each expert then works once, on all its tokens together.</summary>
internal sealed class ExpertRouting(int experts, int used, int hidden, int batch)
{
    private readonly int[] chosen = new int[batch * used];
    private readonly float[] shares = new float[batch * used];
    private readonly int[] visitors = new int[batch];
    private readonly float[] visitorShares = new float[batch];
    private int tokens;
    private int perToken;

    /// <summary>(tokens, experts), the router's outputs.</summary>
    public float[] Logits { get; } = new float[batch * experts];

    /// <summary>(visits, hidden), gathered for one expert.</summary>
    public float[] Inputs { get; } = new float[batch * hidden];

    public float[] Outputs { get; } = new float[batch * hidden];

    /// <summary>Softmax over all experts, then the best of them; their weights sum to one where the model normalizes them.</summary>
    public void Choose(ExpertSettings settings, int count)
    {
        (tokens, perToken) = (count, settings.Used);
        for (var token = 0; token < count; token++)
        {
            var row = Logits.AsSpan(token * settings.Count, settings.Count);
            Vectors.Scale(row, 1 / Vectors.Exponentials(row, Vectors.Max(row)));
            var share = shares.AsSpan(token * perToken, perToken);
            for (var rank = 0; rank < perToken; rank++)
            {
                var best = 0;
                for (var expert = 1; expert < row.Length; expert++)
                {
                    if (row[expert] > row[best])
                        best = expert;
                }
                (chosen[token * perToken + rank], share[rank]) = (best, row[best]);
                row[best] = -1;
            }
            if (settings.Normalized)
                Vectors.Scale(share, 1 / Math.Max(Vectors.Sum(share), SmallestSum));
        }
    }

    /// <summary>Copies the inputs of the tokens that visit the expert; returns how many.</summary>
    public int Gather(int expert, ReadOnlySpan<float> inputs)
    {
        var visits = 0;
        for (var slot = 0; slot < tokens * perToken; slot++)
        {
            if (chosen[slot] != expert)
                continue;
            inputs.Slice(slot / perToken * hidden, hidden).CopyTo(Inputs.AsSpan(visits * hidden));
            (visitors[visits], visitorShares[visits++]) = (slot / perToken, shares[slot]);
        }
        return visits;
    }

    /// <summary>Adds the outputs of the gathered tokens, weighted.</summary>
    public void Scatter(int visits, Span<float> outputs)
    {
        for (var visit = 0; visit < visits; visit++)
            Vectors.AddScaled(outputs.Slice(visitors[visit] * hidden, hidden), Outputs.AsSpan(visit * hidden, hidden), visitorShares[visit]);
    }

    /// <summary>The smallest normal FP16, below which llama.cpp does not divide (<c>build_moe_ffn</c>).</summary>
    private const float SmallestSum = 6.103515625e-5f;
}
