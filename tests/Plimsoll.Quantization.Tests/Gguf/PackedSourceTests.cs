using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Checkpoints that are quantized already.</summary>
public sealed class PackedSourceTests
{
    private static readonly float[] Codes = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6];

    /// <summary>gpt-oss as published: codes of two elements to a byte and a power of two per 32, gate and up in turn.</summary>
    [Fact]
    public void The_experts_of_gpt_oss_keep_every_value()
    {
        var expected = new Dictionary<string, float[]>();
        using var checkpoint = Packed(expected);
        using var folder = new TemporaryFolder();
        var plan = GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), new() { FileName = "tiny.gguf", FileType = GgufFileType.Find("mxfp4_moe")! });
        var path = PlanFiles.Write(plan, folder.Path).Single();

        using var reader = new WeightReader(Checkpoint.Open(path), quantization: null);
        foreach (var layer in (int[])[0, 1])
        {
            foreach (var part in (string[])["gate", "up", "down"])
            {
                var weight = reader.Find($"blk.{layer}.ffn_{part}_exps.weight")!;
                var values = new float[weight.Rows * weight.RowLength];
                weight.ReadRows(0, values);
                Assert.Equal("MXFP4", weight.Storage.Main.Format.Name);
                Assert.Equal(expected[$"{layer}.{part}"], values);
            }
        }
        using var llama = Llama.Load(path);
        Assert.All(llama.Logits([1, 2, 3])[^1], value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Another_type_for_packed_weights_must_be_allowed()
    {
        using var checkpoint = Packed([]);
        var model = ModelLocator.FromPath(checkpoint.Path);
        var recipe = new GgufRecipe { FileName = "tiny.gguf", FileType = GgufFileType.Find("q4_k_m")! };
        var refusal = Assert.Throws<QuantizationRefusedException>(() => GgufConversion.Plan(model, recipe));
        Assert.StartsWith("model.layers.0.mlp.experts.down_proj is quantized already (", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("Q6_K", GgufConversion.Plan(model, recipe with { AllowRequantize = true }).Files[0].Jobs.Single(job => job.Name == "blk.1.ffn_down_exps.weight").Outputs[0].Format.Name);
    }

    /// <param name="expected">Receives the values of each expert matrix by layer and part, (experts, rows, columns).</param>
    private static RandomCheckpoint Packed(Dictionary<string, float[]> expected)
    {
        var config = TinyConfigs.ByModelType["gpt_oss"].Replace("\"swiglu_limit\": 7.0", "\"swiglu_limit\": 7.0, \"quantization_config\": {\"quant_method\": \"mxfp4\"}");
        return new(config, change: tensors =>
        {
            var random = new Random(3);
            foreach (var layer in (int[])[0, 1])
            {
                var folder = $"model.layers.{layer}.mlp.experts.";
                var both = Pack(tensors, folder + "gate_up_proj", rows: 1024, columns: 256, random);
                expected[$"{layer}.gate"] = EverySecondRow(both, 256, 0);
                expected[$"{layer}.up"] = EverySecondRow(both, 256, 1);
                expected[$"{layer}.down"] = Pack(tensors, folder + "down_proj", rows: 256, columns: 512, random);
            }
        });
    }

    /// <summary>Puts random codes and scales of four experts in the place of a matrix.</summary>
    /// <returns>What they stand for.</returns>
    private static float[] Pack(Dictionary<string, RandomTensor> tensors, string name, int rows, int columns, Random random)
    {
        tensors.Remove(name);
        var (groups, values) = (columns / 32, new float[4 * rows * columns]);
        var (blocks, scales) = (new byte[values.Length / 2], new byte[values.Length / 32]);
        random.NextBytes(blocks);
        for (var group = 0; group < scales.Length; group++)
        {
            scales[group] = (byte)random.Next(118, 125);
            for (var index = 0; index < 32; index++)
            {
                var code = blocks[group * 16 + index / 2] >> 4 * (index % 2) & 15;
                values[group * 32 + index] = Codes[code] * MathF.Pow(2, scales[group] - 127);
            }
        }
        tensors.Add(name + "_blocks", new([4, rows, groups, 16], blocks));
        tensors.Add(name + "_scales", new([4, rows, groups], scales));
        return values;
    }

    private static float[] EverySecondRow(float[] values, int columns, int first) => [.. values.Chunk(columns).Where((_, row) => row % 2 == first).SelectMany(row => row)];
}
