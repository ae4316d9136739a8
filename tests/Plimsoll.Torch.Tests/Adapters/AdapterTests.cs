using System.Runtime.InteropServices;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Planning.Training;
using Plimsoll.Torch.Adapters;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Running;
using Plimsoll.Torch.Tests.Decoders;
using Plimsoll.Torch.Tests.Running;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Adapters;

public class AdapterTests
{
    [Fact]
    public void Adapters_of_full_rank_begin_at_the_loss_of_the_model_itself()
    {
        using var scope = NewDisposeScope();
        using var plain = TinyModels.Learning("llama");
        using var adapted = Adapted(TinyModels.Create("llama"), rank: 32);
        var (tokens, targets) = TinyModels.Batch(2, 16);

        var expected = new BackwardPass(plain, Checkpointing.None, null).Run(tokens, targets, 1);
        var actual = new BackwardPass(adapted, Checkpointing.None, null).Run(tokens, targets, 1);

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Only_adapters_learn_and_merging_them_gives_the_same_logits()
    {
        using var scope = NewDisposeScope();
        using var decoder = Adapted(TinyModels.Create("qwen2"), rank: 4);
        using (no_grad())
        {
            foreach (var weight in decoder.Weights.Where(weight => weight.Learns))
                weight.Value.add_(randn_like(weight.Value) * 0.2);
        }
        Assert.Equal(2 * 7 * 2, decoder.Weights.Count(weight => weight.Learns));
        Assert.All(decoder.Weights.Where(weight => weight.Learns), weight => Assert.Contains(".lora_", weight.Name, StringComparison.Ordinal));

        var (tokens, _) = TinyModels.Batch(1, 10);
        var expected = DecoderTests.Logits(decoder, tokens);
        var merged = decoder.Replace(layer => new PlainLinear(new(layer.Name, layer.Matrix()), layer.Bias));

        Assert.True((expected - DecoderTests.Logits(merged, tokens)).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void Gradients_of_adapters_equal_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var decoder = Adapted(TinyModels.Create("llama"), rank: 3);
        var (tokens, targets) = TinyModels.Batch(2, 8);
        var learning = decoder.Weights.Where(weight => weight.Learns).ToList();
        new BackwardPass(decoder, Checkpointing.Full, null).Run(tokens, targets, 1);
        var norm = Gradients.Norm(learning);
        const double step = 2e-3;

        Assert.Equal(norm, (LossAt(step / norm) - LossAt(-step / norm)) / (2 * step), norm * 0.01);

        double LossAt(double along)
        {
            using var none = no_grad();
            learning.ForEach(weight => weight.Value.add_(weight.Value.grad!, along));
            var loss = nn.functional.cross_entropy(DecoderTests.Logits(decoder, tokens).view(-1, 64).to(ScalarType.Float64), targets.flatten(), reduction: nn.Reduction.Sum).item<double>();
            learning.ForEach(weight => weight.Value.add_(weight.Value.grad!, -along));
            return loss;
        }
    }

    /// <summary>The quantizer's own tests compare it with bitsandbytes.</summary>
    [Theory]
    [InlineData(3, 64)]
    [InlineData(7, 40)]
    public void NF4_matrices_decode_to_what_the_quantizer_says(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var values = randn(rows, columns);
        using var matrix = new Nf4Matrix(values, CPU);

        var flat = MemoryMarshal.Cast<byte, float>(values.bytes).ToArray();
        var blocks = flat.Chunk(64).ToArray();
        var absmax = blocks.Select(block => block.Max(Math.Abs)).ToArray();
        var (codes, nested, scales) = (new byte[absmax.Length], new float[(absmax.Length + 255) / 256], new float[absmax.Length]);
        DoubleQuantizer.Decode(codes, DoubleQuantizer.Map, nested, DoubleQuantizer.Encode(absmax, codes, nested), scales);
        var expected = blocks.SelectMany((block, index) =>
        {
            var (code, decoded) = (new byte[block.Length], new float[block.Length]);
            CodebookQuantizer.Nf4.Encode(block, absmax[index], code);
            CodebookQuantizer.Nf4.Decode(code, scales[index], decoded);
            return decoded;
        }).ToArray();

        var actual = MemoryMarshal.Cast<byte, float>(matrix.Decode(ScalarType.Float32).bytes).ToArray();
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    [Fact]
    public void A_product_with_packed_weights_has_the_gradient_of_the_decoded_ones()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var packed = new Nf4Matrix(randn(24, 64), CPU);
        using var layer = new Nf4Linear("w", packed, null, ScalarType.Float32);
        var (input, gradient) = (randn(2, 5, 64), randn(2, 5, 24));
        var same = input.clone().requires_grad_(true);
        input.requires_grad_(true);

        layer.Apply(input).backward([gradient]);
        nn.functional.linear(same, packed.Decode(ScalarType.Float32)).backward([gradient]);

        Assert.True(input.grad!.equal(same.grad!).all().item<bool>());
    }

    [Fact]
    public void Adapters_are_written_as_PEFT_names_and_describes_them()
    {
        using var folder = new TemporaryFolder();
        TrainingRunTests.Run(TrainingRunTests.Job(folder) with { Method = TrainingMethod.Qlora, Adapter = new(4, 8, ["q_proj", "v_proj"], Merge: false), Steps = 1 });

        var config = JsonDocument.Parse(File.ReadAllText(folder.File("out/adapter_config.json"))).RootElement;
        Assert.Equal("LORA", config.GetProperty("peft_type").GetString());
        Assert.Equal(4, config.GetProperty("r").GetInt32());
        Assert.Equal(8, config.GetProperty("lora_alpha").GetDouble());
        Assert.Equal(["q_proj", "v_proj"], config.GetProperty("target_modules").EnumerateArray().Select(module => module.GetString()));
        var tensors = Checkpoint.Open(folder.File("out/adapter_model.safetensors")).Tensors;
        Assert.Equal(3 * 2 * 2, tensors.Length);
        Assert.Equal([4, 256], tensors.Single(tensor => tensor.Name == "base_model.model.model.layers.2.self_attn.v_proj.lora_A.weight").Dimensions);
        Assert.Equal([128, 4], tensors.Single(tensor => tensor.Name == "base_model.model.model.layers.2.self_attn.v_proj.lora_B.weight").Dimensions);
    }

    [Fact]
    public void Merged_adapters_are_a_whole_model_that_is_close_to_the_original()
    {
        using var folder = new TemporaryFolder();
        TrainingRunTests.Run(TrainingRunTests.Job(folder) with { Method = TrainingMethod.Lora, Adapter = new(4, 8, ["all-linear"], Merge: true), Steps = 2 });

        var names = Checkpoint.Open(folder.File("out/model.safetensors")).Tensors.Select(tensor => tensor.Name);
        Assert.Equal(Checkpoint.Open(Path.Combine(Repository.Root, "demo/model.safetensors")).Tensors.Select(tensor => tensor.Name).Order(), names.Order());
    }

    [Fact]
    public void Unknown_modules_are_refused_with_the_real_ones()
    {
        using var folder = new TemporaryFolder();
        var failure = Assert.Throws<TrainingRefusedException>(() =>
            TrainingRunTests.Run(TrainingRunTests.Job(folder) with { Method = TrainingMethod.Lora, Adapter = new(4, 8, ["query"], Merge: false) }));
        Assert.Contains("q_proj", failure.Message, StringComparison.Ordinal);
    }

    private static Decoder Adapted(Decoder decoder, int rank)
    {
        return decoder.Replace(layer =>
        {
            using var matrix = layer.Matrix();
            return LoraLinear.Over(layer, (int)matrix.shape[0], (int)matrix.shape[1], rank, 2 * rank, CPU);
        });
    }
}
