using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Tests.ErrorFeedback;

namespace Plimsoll.Quantization.Tests.HuggingFace.Folding;

public sealed class AwqTests(AwqTests.Rescaled folder) : IClassFixture<AwqTests.Rescaled>
{
    private const string Layer = "model.layers.0.";
    private const int Count = 200;
    private const int Group = 32;

    private static readonly Dictionary<string, string[]> Readers = new()
    {
        ["attention"] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], ["heads"] = ["self_attn.o_proj"], ["feed forward"] = ["mlp.gate_proj", "mlp.up_proj"], ["middle"] = ["mlp.down_proj"],
    };

    public sealed class Rescaled() : RescaledFolder("awq:4bit-g32", LayerMethod.Awq, (module, _) => Inputs(Readers.Single(group => group.Value.Any(module.EndsWith)).Key, seed: 1));

    [Theory]
    [InlineData("attention")]
    [InlineData("heads")]
    [InlineData("feed forward")]
    [InlineData("middle")]
    public void Outputs_for_inputs_that_were_not_seen_have_a_lower_error_than_rounded_to_nearest(string name)
    {
        var (unseen, columns) = (Inputs(name, seed: 2), Columns(name));
        foreach (var reader in Readers[name])
        {
            var scales = folder.Folds.ScalesOf($"{Layer}{reader}.weight")!;
            var original = Original(reader);
            // The values are divided by what the rows of their own projection became; for that only the inputs of this layer count.
            var rescaled = PublishedArithmetic.Awq(folder.Written, Layer + reader).Select((weight, at) => weight / scales[at % columns]).ToArray();
            var rows = RowFactors(reader);
            for (var at = 0; at < rescaled.Length; at++)
                rescaled[at] *= rows[at / columns];
            var (before, after) = (SyntheticLayer.OutputError(original, PublishedArithmetic.Awq(folder.Nearest, Layer + reader), unseen, columns), SyntheticLayer.OutputError(original, rescaled, unseen, columns));
            Assert.True(after < 0.95 * before, $"{reader}: {after} in place of {before}");
        }
    }

    [Theory]
    [InlineData("attention")]
    [InlineData("feed forward")]
    public void Codes_are_those_of_the_published_algorithm(string name)
    {
        var (inputs, columns) = (Inputs(name, seed: 1), Columns(name));
        // The norms are ones in BF16: what is left of one, divided and rounded, says by how much.
        var scales = PublishedAwq.Scales([.. Readers[name].Select(Original)], inputs, columns, Group, scale => 1 / Bf16(1 / scale));
        double[][] divided = [.. Enumerable.Range(0, Count).Select(input => Enumerable.Range(0, columns).Select(column => inputs[input * columns + column] / scales[column]).ToArray())];
        var reader = Readers[name][^1];
        var (original, zeroed) = (Original(reader), PublishedArithmetic.AwqCodes(folder.Written, Layer + reader));
        var rows = RowFactors(reader);
        var near = 0;
        for (var row = 0; row < 24; row++)
        {
            var expected = PublishedAwq.Codes([.. Enumerable.Range(0, columns).Select(column => original[row * columns + column] * scales[column] / rows[row])], divided, Group, isCut: true);
            near += Enumerable.Range(0, columns).Count(column => Math.Abs(expected[column] - zeroed[row * columns + column]) <= 1);
        }
        Assert.InRange(near / (24.0 * columns), 0.995, 1);
    }

    private float[] Original(string reader) => folder.Original.Floats($"{Layer}{reader}.weight");

    /// <summary>What the rows of a layer were divided by because the next layer's columns were multiplied.</summary>
    private float[] RowFactors(string reader)
    {
        var next = reader switch { "self_attn.v_proj" => "self_attn.o_proj", "mlp.up_proj" => "mlp.down_proj", _ => null };
        return next is null ? [.. Enumerable.Repeat(1f, TinyCheckpoint.Width)] : folder.Folds.ScalesOf($"{Layer}{next}.weight") ?? [.. Enumerable.Repeat(1f, TinyCheckpoint.Width)];
    }

    private static int Columns(string name) => name == "middle" ? TinyCheckpoint.Width : TinyCheckpoint.Hidden;

    /// <summary>Every ninth column is ten times as large as the others: what AWQ was made for.</summary>
    private static float[] Inputs(string name, int seed)
    {
        var random = new Random(seed + name.Length);
        return [.. Enumerable.Range(0, Count * Columns(name)).Select(at => (random.NextSingle() + random.NextSingle() - 1) * (at % Columns(name) % 9 == 4 ? 10 : 1))];
    }

    private static double Bf16(double value) => BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits((float)value) + 0x8000) & 0xFFFF0000);
}
