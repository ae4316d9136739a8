using Plimsoll.Quantization.Calibration;

namespace Plimsoll.Quantization.Tests.Calibration;

public sealed class InputCollectorTests
{
    [Fact]
    public void Squares_products_and_counts_are_those_of_the_inputs()
    {
        var random = new Random(5);
        const int columns = 19, count = 37;
        var inputs = Enumerable.Range(0, count * columns).Select(_ => (float)random.NextDouble() - 0.5f).ToArray();
        var collector = new InputCollector(keepsGrams: true, threads: 2);
        collector.Observe("w", 0, inputs.AsSpan(0, 20 * columns), columns);
        collector.Observe("w", 0, inputs.AsSpan(20 * columns), columns);

        var seen = collector.Find("w", 0)!;
        Assert.Equal(count, seen.Count);
        for (var row = 0; row < columns; row++)
        {
            for (var column = 0; column <= row; column++)
            {
                var expected = Enumerable.Range(0, count).Sum(at => (double)inputs[at * columns + row] * inputs[at * columns + column]);
                Assert.Equal(expected, seen.Gram[row * columns + column], 1e-5);
            }
            Assert.Equal(seen.Gram[row * columns + row], seen.Squares[row], 1e-5);
        }
    }

    [Fact]
    public void Layers_with_the_same_inputs_are_counted_once_and_others_apart()
    {
        var collector = new InputCollector(keepsGrams: false, threads: 1);
        for (var batch = 1; batch <= 2; batch++)
        {
            collector.Observe("q", 0, [batch, 2], 2);
            collector.Observe("k", 0, [batch, 2], 2);
            collector.Observe("o", 0, [3, 4, 5, 6], 2);
        }
        Assert.Same(collector.Find("q", 0), collector.Find("k", 0));
        Assert.Equal([2, 5, 8], Facts("q"));
        Assert.Equal([4, 68, 104], Facts("o"));
        Assert.Null(collector.Find("v", 0));

        double[] Facts(string tensor) => [collector.Find(tensor, 0)!.Count, .. collector.Find(tensor, 0)!.Squares];
    }
}
