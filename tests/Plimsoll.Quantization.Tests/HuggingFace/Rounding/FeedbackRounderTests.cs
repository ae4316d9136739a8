using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;
using Plimsoll.Quantization.Tests.ErrorFeedback;

namespace Plimsoll.Quantization.Tests.HuggingFace.Rounding;

public sealed class FeedbackRounderTests
{
    private const int Columns = 256;
    private const int Rows = 16;

    private static readonly (float[] Weights, float[] Seen, float[] Unseen) Layer = SyntheticLayer.Create(Rows, Columns);
    private static readonly Lazy<(int[] Order, double[,] Upper)> Published = new(() => PublishedGptq.Factor(SyntheticLayer.Gram(Layer.Seen, Columns), 0.01));

    public static TheoryData<string> Layouts => RoundedLayer.Layouts;

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Outputs_for_inputs_that_were_not_seen_have_a_lower_error(string layout)
    {
        var (weights, seen, unseen) = Layer;
        var (nearest, fed) = Round(layout, weights, seen);
        Assert.InRange(SyntheticLayer.OutputError(weights, fed.Decoded, unseen, Columns) / SyntheticLayer.OutputError(weights, nearest.Decoded, unseen, Columns), 0, 0.75);
    }

    /// <summary>Also where there is nothing to gain: inputs that have nothing to do with each other.</summary>
    [Theory]
    [InlineData("gptq:4bit-g32", false)]
    [InlineData("gptq:2bit-g32", false)]
    [InlineData("awq:4bit-g128", false)]
    [InlineData("gptq:4bit-g32", true)]
    [InlineData("gptq:2bit-g32", true)]
    [InlineData("awq:4bit-g128", true)]
    [InlineData("bnb-int8", true)]
    public void No_row_is_worse_than_rounded_to_nearest_by_the_objective_of_GPTQ(string layout, bool isWhite)
    {
        var (weights, seen, _) = Layer;
        if (isWhite)
            seen = [.. Enumerable.Range(0, Columns * Columns).Select(at => at % (Columns + 1) == 0 ? 1f : 0)];
        var (nearest, fed) = Round(layout, weights, seen);
        var gram = SyntheticLayer.Gram(seen, Columns);
        var damping = 0.01 * Enumerable.Range(0, Columns).Average(column => gram[column, column]);
        for (var row = 0; row < Rows; row++)
        {
            var (before, after) = (Objective(nearest, row), Objective(fed, row));
            Assert.True(after <= before * (1 + 1e-4), $"row {row}: {after} with feedback, {before} without");
        }

        double Objective(RoundedLayer layer, int row)
        {
            var errors = Enumerable.Range(row * Columns, Columns).Select(at => (double)weights[at] - layer.Decoded[at]).ToArray();
            var total = 0.0;
            for (var i = 0; i < Columns; i++)
            {
                for (var j = 0; j < Columns; j++)
                    total += errors[i] * errors[j] * (gram[i, j] + (i == j ? damping : 0));
            }
            return total;
        }
    }

    [Theory]
    [InlineData("gptq:4bit-g128", 4, true)]
    [InlineData("gptq:3bit-g64", 3, true)]
    [InlineData("awq:4bit-g128", 4, false)]
    [InlineData("ct:w4a16-g32-asym", 4, false)]
    public void Codes_and_scales_are_those_of_the_published_algorithm(string layout, int bits, bool isSymmetric)
    {
        var (weights, seen, _) = Layer;
        var (nearest, fed) = Round(layout, weights, seen);
        var (importance, factor) = (SyntheticLayer.MeanSquares(seen, Columns), Published.Value);
        var (group, groups) = (fed.Packing.GroupLength, fed.Packing.Groups);
        var (near, compared) = (0, 0);
        for (var row = 0; row < Rows; row++)
        {
            var line = weights[(row * Columns)..((row + 1) * Columns)];
            // A row that is better off rounded to nearest is none of the algorithm's.
            if (fed.Codes.AsSpan(row * Columns, Columns).SequenceEqual(nearest.Codes.AsSpan(row * Columns, Columns)))
                continue;
            var scales = Enumerable.Range(0, groups).Select(at => PublishedScales.Find(
                line[(at * group)..((at + 1) * group)], importance[(at * group)..((at + 1) * group)], bits, isSymmetric, scale => fed.Packing.Stored((float)scale))).ToArray();
            var expected = PublishedGptq.Codes(line, factor, (column, wanted) => PublishedScales.Nearest(wanted, scales[column / group].Scale, scales[column / group].Zero, (1 << bits) - 1));
            near += Enumerable.Range(0, Columns).Count(column => Math.Abs(fed.Codes[row * Columns + column] - expected[column]) <= 1);
            compared += Columns;
        }
        Assert.InRange(compared, Rows * Columns * 3 / 4, Rows * Columns);
        Assert.InRange(near / (double)compared, 0.995, 1);
    }

    [Fact]
    public void Any_cut_of_the_rows_gives_the_same_numbers()
    {
        var (weights, seen, _) = Layer;
        var whole = Round("awq:4bit-g128", weights, seen).Fed;
        var half = Round("awq:4bit-g128", weights[(Rows / 2 * Columns)..], seen).Fed;
        Assert.Equal(whole.Codes[(Rows / 2 * Columns)..], half.Codes);
        Assert.Equal(whole.Scales[(Rows / 2 * whole.Packing.Groups)..], half.Scales);
    }

    private static (RoundedLayer Nearest, RoundedLayer Fed) Round(string layout, float[] weights, float[] seen)
    {
        var collector = new InputCollector(keepsGrams: true, 2);
        collector.Observe("w", 0, seen, Columns);
        var inputs = LayerInputs.Of(collector.Find("w", 0)!, 2);
        return (RoundedLayer.Create(layout, weights, Columns, grid => new NearestRounder(grid)), RoundedLayer.Create(layout, weights, Columns, grid => new FeedbackRounder(grid, inputs.Factor!, inputs.MeanSquares)));
    }
}
