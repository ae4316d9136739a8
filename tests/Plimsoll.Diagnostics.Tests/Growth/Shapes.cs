using Plimsoll.Diagnostics.Growth;

namespace Plimsoll.Diagnostics.Tests.Growth;

/// <summary>Series of known nature, by seed: 1,200 samples a second apart, in MiB, with the noise that device counters have.</summary>
internal static class Shapes
{
    private const int Length = 1200;
    private const double MiB = 1 << 20;

    private delegate double Shape(int index, Random random, ref double state);

    private static readonly Dictionary<string, (double Noise, Shape At)> Table = new()
    {
        ["flat"] = (5, static (int _, Random _, ref double _) => 8000),
        ["sawtooth"] = (5, static (int i, Random _, ref double _) => 4000 + (i % 60 * 30)),
        ["slow sawtooth"] = (5, static (int i, Random _, ref double _) => 4000 + (i % 350 * 10)),
        ["fast warm-up"] = (5, static (int i, Random _, ref double _) => 8000 - (4000 * Math.Exp(-i / 60.0))),
        ["slow warm-up"] = (5, static (int i, Random _, ref double _) => 8000 - (4000 * Math.Exp(-i / 300.0))),
        ["noisy slow warm-up"] = (60, static (int i, Random _, ref double _) => 8000 - (4000 * Math.Exp(-i / 300.0))),
        ["very slow warm-up"] = (5, static (int i, Random _, ref double _) => 8000 - (4000 * Math.Exp(-i / 600.0))),
        ["cache staircase"] = (0, static (int i, Random _, ref double _) => 4000 + (20 * Math.Min(i / 20, 30))),
        ["ramp then plateau"] = (5, static (int i, Random _, ref double _) => 4000 + (5 * Math.Min(i, 700))),
        ["collection cycles"] = (5, static (int i, Random random, ref double held) => 4000 + (held = random.NextDouble() < 0.02 ? 0 : held + 10)),
        ["autoregressive"] = (0, static (int i, Random random, ref double x) => 8000 + (x = (0.98 * x) + (20 * Normal(random)))),
        ["random walk"] = (0, static (int i, Random random, ref double x) => 8000 + (x += 10 * Normal(random))),
        ["linear leak"] = (20, static (int i, Random _, ref double _) => 4000 + (0.5 * i)),
        ["leak under sawtooth"] = (5, static (int i, Random _, ref double _) => 4000 + (0.5 * i) + (i % 60 * 34)),
        ["leak after a warm-up"] = (20, static (int i, Random _, ref double _) => 6000 - (2000 * Math.Exp(-i / 60.0)) + (0.5 * i)),
        ["leak in steps"] = (0, static (int i, Random _, ref double _) => 4000 + (20 * (i / 40))),
        ["leak under collection cycles"] = (5, static (int i, Random random, ref double held) => 4000 + i + (held = random.NextDouble() < 0.05 ? 0 : held + 10)),
        ["leak under rare collections"] = (5, static (int i, Random random, ref double held) => 4000 + i + (held = random.NextDouble() < 0.015 ? 0 : held + 4)),
        ["requests of any size"] = (5, static (int i, Random random, ref double held) => 4000 + (held = random.NextDouble() < 0.1 ? 2000 * random.NextDouble() : held)),
        ["spikes"] = (10, static (int i, Random random, ref double _) => 4000 + (random.NextDouble() < 0.03 ? 3000 * random.NextDouble() : 0)),
        ["warm-up under collection cycles"] = (5, static (int i, Random random, ref double held) => 6000 - (2000 * Math.Exp(-i / 200.0)) + (held = random.NextDouble() < 0.05 ? 0 : held + 10)),
    };

    public static MemorySeries Create(string shape, int seed, long? ceiling = null)
    {
        var random = new Random(seed);
        var (noise, at) = Table[shape];
        var state = 0.0;
        var phase = seed % 60;
        var bytes = Enumerable.Range(0, Length).Select(index => (at(shape.Contains("sawtooth", StringComparison.Ordinal) ? index + phase : index, random, ref state) + (noise * Normal(random))) * MiB).ToArray();
        return MemorySeries.Create(shape, "GPU 0", MemoryLedger.Device, SeriesAxis.Seconds, [.. Enumerable.Range(0, Length).Select(index => (double)index)], bytes, ceiling);
    }

    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
