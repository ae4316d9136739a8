using System.Collections.Concurrent;
using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>Weights that quantizers meet, and weights that break them, from integers and exact float operations only: the same bits on every machine.</summary>
internal sealed class WeightSamples(uint seed)
{
    private uint state = seed * 2654435761u + 1;

    /// <summary>The name of every kind, and how it is made.</summary>
    public static IReadOnlyDictionary<string, Func<WeightSamples, int, float>> Kinds { get; } = new Dictionary<string, Func<WeightSamples, int, float>>
    {
        ["normal"] = (random, _) => 0.02f * random.Normal(),
        ["heavy tails"] = (random, _) => 0.02f * random.HeavyTailed(),
        ["uniform"] = (random, _) => random.Uniform() - 0.5f,
        ["zeros"] = (random, i) => i / 512 % 2 == 0 ? 0f : i / 64 % 2 == 0 ? -0f : random.Below(50) == 0 ? 1 : 0,
        ["denormals"] = (random, _) => BitConverter.UInt32BitsToSingle(random.Next() & 0x803F_FFFF),
        ["denormals of FP16"] = (random, _) => random.Normal() * 1e-7f,
        ["one outlier"] = (random, i) => i % 32 == 7 ? 1000f * random.Normal() : 1e-3f * random.Normal(),
        ["constants"] = (random, i) => (i / 32 % 5 - 2) * 0.25f,
        ["nearly constant"] = (random, i) => (i / 32 % 7 - 3) * 1.5f + 1e-6f * random.Normal(),
        ["alternating signs"] = (random, i) => (i % 2 == 0 ? 1f : -1f) * (0.5f + i % 3 * 0.25f),
        ["positive"] = (random, _) => MathF.Abs(random.Normal()) + 1,
        ["negative"] = (random, _) => -MathF.Abs(random.Normal()) - 1e-3f,
        ["few values"] = (random, _) => (random.Below(7) - 3) * 0.5f,
        ["powers of two"] = (random, _) => BitConverter.UInt32BitsToSingle((random.Next() & 0x8000_0000) | (117 + random.Next() % 20) << 23),
        ["just below powers of two"] = (random, _) => BitConverter.UInt32BitsToSingle(((random.Next() & 0x8000_0000) | (117 + random.Next() % 20) << 23) - random.Next() % 4),
        ["tiny scales"] = (random, i) => random.Normal() * BitConverter.UInt32BitsToSingle((uint)(i / 256 % 60 + 1) << 23),
        ["huge scales"] = (random, i) => random.Normal() * BitConverter.UInt32BitsToSingle((uint)(i / 256 % 60 + 190) << 23),
        ["many scales"] = (random, i) => random.Normal() * BitConverter.UInt32BitsToSingle(117 + random.Next() % 20 << 23),
        ["ternary"] = (random, i) => (random.Below(3) - 1) * (0.01f + i / 256 % 9 * 0.003f),
    };

    /// <summary>The kinds that ggml can encode: the search in a lattice ends the process where the square of a weight is infinite.</summary>
    public static IEnumerable<string> KindsOf(NumberFormat format) =>
        Kinds.Keys.Where(kind => kind != "huge scales" || !format.Name.StartsWith("IQ", StringComparison.Ordinal));

    /// <summary>None, where that is allowed, and some.</summary>
    public static IEnumerable<float[]> ImportancesOf(BlockCodec codec, int columns) =>
        codec.Importance == ImportanceUse.Required ? [Importance(columns)] : [[], Importance(columns)];

    private static readonly ConcurrentDictionary<(string, int, uint), float[]> Created = [];

    /// <summary>Values of a kind; every one finite. Made once, not to be changed.</summary>
    public static float[] Create(string kind, int count, uint seed = 1) => Created.GetOrAdd((kind, count, seed), _ => Fill(kind, count, seed));

    private static float[] Fill(string kind, int count, uint seed)
    {
        var random = new WeightSamples(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var value = Kinds[kind](random, i);
            values[i] = float.IsFinite(value) ? value : 0;
        }
        return values;
    }

    /// <summary>The mean square of activations by column: spread over some powers of ten, a few zero.</summary>
    public static float[] Importance(int columns, uint seed = 1)
    {
        var random = new WeightSamples(seed ^ 0x5bd1e995);
        var importance = new float[columns];
        for (var i = 0; i < columns; i++)
        {
            var value = MathF.Abs(random.HeavyTailed()) + 1e-4f;
            importance[i] = random.Below(100) == 0 ? 0 : value * value;
        }
        return importance;
    }

    /// <summary>The next of a xorshift sequence (Marsaglia 2003).</summary>
    private uint Next()
    {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state;
    }

    private int Below(int limit) => (int)(Next() % (uint)limit);

    private float Uniform() => (Next() >> 8) * (1f / (1 << 24));

    /// <summary>About normal with variance 1: twelve uniform numbers less six.</summary>
    private float Normal()
    {
        var sum = -6f;
        for (var i = 0; i < 12; i++)
            sum += Uniform();
        return sum;
    }

    /// <summary>About Student's t with 4 degrees of freedom: normal over the root of a mean of squares of four normals.</summary>
    private float HeavyTailed()
    {
        var sum = 1e-6f;
        for (var i = 0; i < 4; i++)
        {
            var normal = Normal();
            sum += normal * normal;
        }
        return Normal() / MathF.Sqrt(sum / 4);
    }
}
