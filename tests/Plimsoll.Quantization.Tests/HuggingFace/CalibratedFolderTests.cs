using Plimsoll.Models;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Running;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace;

public sealed class CalibratedFolderTests
{
    private const string Seen = "model.layers.0.mlp.down_proj";

    [Fact]
    public void Layers_that_no_text_met_are_rounded_to_nearest_and_the_report_says_so()
    {
        using var model = new TinyCheckpoint();
        var plain = model.Convert("awq:4bit-g32", out _);
        var notes = Convert(model, "awq:4bit-g32", Inputs(1), out var calibrated);
        Assert.Contains("6 layers are rounded to nearest, the first of them model.layers.0.self_attn.q_proj: no text met them, or what they met cannot be inverted.", notes);
        foreach (var (module, _, _) in TinyCheckpoint.Layers.Where(layer => layer.Module != Seen))
            Assert.Equal(plain.Bytes(module + ".qweight"), calibrated.Bytes(module + ".qweight"));
        Assert.NotEqual(plain.Bytes(Seen + ".qweight"), calibrated.Bytes(Seen + ".qweight"));
    }

    [Fact]
    public void Inputs_that_are_no_numbers_leave_a_layer_to_plain_rounding()
    {
        using var model = new TinyCheckpoint();
        var plain = model.Convert("gptq:4bit-g32", out _);
        var notes = Convert(model, "gptq:4bit-g32", Inputs(float.NaN), out var calibrated);
        Assert.Contains(notes, note => note.StartsWith("7 layers are rounded to nearest", StringComparison.Ordinal));
        Assert.Equal(plain.Bytes(Seen + ".qweight"), calibrated.Bytes(Seen + ".qweight"));
    }

    /// <summary>Inputs of the down projection, whose columns follow one another.</summary>
    private static CalibratedInputs Inputs(float scale)
    {
        var collector = new InputCollector(keepsGrams: true, threads: 1);
        var random = new Random(3);
        var sum = 0f;
        float[] inputs = [.. Enumerable.Range(0, 300 * TinyCheckpoint.Width).Select(_ => scale * (sum = 0.9f * sum + random.NextSingle() - 0.5f))];
        collector.Observe(Seen + ".weight", 0, inputs, TinyCheckpoint.Width);
        return CalibratedInputs.Create(collector, threads: 1, _ => { }, CancellationToken.None);
    }

    private static IReadOnlyList<string> Convert(TinyCheckpoint model, string precision, CalibratedInputs inputs, out TensorFile written)
    {
        var plan = HuggingFaceConversion.Plan(ModelLocator.FromPath(model.Source), HuggingFaceRecipe.Find(precision)! with { Method = LayerMethod.Gptq, Inputs = inputs });
        var target = model.File("calibrated");
        QuantizationRunner.Run(plan, new() { Target = target, Recipe = precision, SourceFiles = [], Threads = 2 }, CancellationToken.None);
        written = TensorFile.Read(target);
        return plan.Notes;
    }
}
