using System.Runtime.CompilerServices;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Layers;

/// <summary>Rotates the heads of a batch of tokens by their positions.</summary>
internal sealed class Rope
{
    private readonly RopePairing pairing;
    private readonly int dimensions;
    private readonly RopeFrequencies frequencies;
    private readonly float[] cosines;
    private readonly float[] sines;

    /// <param name="context">Tokens of the session; LongRoPE chooses its factors by it.</param>
    /// <param name="batch">The most tokens of a batch.</param>
    public Rope(RopeSettings settings, int context, int batch)
    {
        (pairing, dimensions) = (settings.Pairing, settings.Dimensions);
        frequencies = settings.Frequencies(context);
        cosines = new float[batch * dimensions / 2];
        sines = new float[batch * dimensions / 2];
    }

    /// <summary>Computes the turns of the tokens at [position, position + count).</summary>
    public void Prepare(int position, int count)
    {
        var at = 0;
        for (var token = 0; token < count; token++)
        {
            foreach (var frequency in frequencies.Inverse)
            {
                var (sine, cosine) = Math.SinCos((position + token) * frequency);
                cosines[at] = (float)(cosine * frequencies.Magnitude);
                sines[at++] = (float)(sine * frequencies.Magnitude);
            }
        }
    }

    /// <summary>Rotates every head of one token's row.</summary>
    /// <param name="token">Its number in the prepared batch.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(int token, Span<float> row, int headDim)
    {
        var half = dimensions / 2;
        var cosine = cosines.AsSpan(token * half, half);
        var sine = sines.AsSpan(token * half, half);
        for (var at = 0; at < row.Length; at += headDim)
        {
            var head = row.Slice(at, dimensions);
            if (pairing == RopePairing.Neighbours)
            {
                for (var pair = 0; pair < half; pair++)
                    Turn(ref head[2 * pair], ref head[2 * pair + 1], cosine[pair], sine[pair]);
            }
            else
            {
                for (var pair = 0; pair < half; pair++)
                    Turn(ref head[pair], ref head[half + pair], cosine[pair], sine[pair]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(ref float x, ref float y, float cosine, float sine) => (x, y) = (x * cosine - y * sine, x * sine + y * cosine);
}
