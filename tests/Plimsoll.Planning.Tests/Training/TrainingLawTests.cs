using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Training;

/// <summary>What must hold for every model, method and split.</summary>
public class TrainingLawTests
{
    public static TheoryData<string, string, string> Runs => new()
    {
        { "llama-3.1-8b", "full", "transformers" },
        { "qwen3-30b-a3b", "full", "torchtitan" },
        { "gemma-2-9b", "lora", "transformers" },
        { "deepseek-v3", "qlora", "axolotl" },
        { "gpt2", "full", "litgpt" },
        { "mistral-7b-v0.1", "qlora", "unsloth" },
        { "13b", "lora", "torchtune" },
    };

    private static TrainingRequest Request(string model, string method, string trainer) => method switch
    {
        "full" => TrainingRuns.Full(model, trainer: trainer),
        "lora" => TrainingRuns.Lora(model, trainer: trainer),
        _ => TrainingRuns.Lora(model, targets: "attention", quantized: "nf4", trainer: trainer),
    };

    [Theory, MemberData(nameof(Runs))]
    public void More_context_never_needs_less_memory(string model, string method, string trainer) =>
        Grows(Request(model, method, trainer), (request, step) => request with { SequenceLength = 1L << step }, 16);

    [Theory, MemberData(nameof(Runs))]
    public void A_larger_micro_batch_never_needs_less_memory(string model, string method, string trainer) =>
        Grows(Request(model, method, trainer), (request, step) => request with { MicroBatch = step * step }, 12);

    [Theory, MemberData(nameof(Runs))]
    public void Accumulation_never_needs_less_memory(string model, string method, string trainer) =>
        Grows(Request(model, method, trainer), (request, step) => request with { Accumulation = step }, 3);

    [Theory, MemberData(nameof(Runs))]
    public void More_layers_never_need_less_memory(string model, string method, string trainer) => Grows(Request(model, method, trainer), (request, step) =>
    {
        bool Keep(int? layer) => layer is null || layer < step;
        var shape = request.Model with { Layers = request.Model.Layers[..step], Tensors = [.. request.Model.Tensors.Where(tensor => Keep(tensor.Layer))] };
        return request with { Model = shape, Weights = request.Weights with { Tensors = [.. request.Weights.Tensors.Where(tensor => Keep(tensor.Shape.Layer))] } };
    }, 8);

    [Theory]
    [InlineData("llama-3.1-8b", null)]
    [InlineData("llama-3.1-8b", "nf4")]
    [InlineData("qwen3-30b-a3b", "nf4+experts")]
    public void A_higher_rank_never_needs_less_memory(string model, string? quantized) =>
        Grows(TrainingRuns.Lora(model, quantized: quantized, targets: "all-linear"), (request, step) => request with { Adapter = request.Adapter! with { Rank = 4 * step } }, 10);

    [Theory, MemberData(nameof(Runs))]
    public void The_lines_of_a_phase_sum_to_its_total_in_every_category(string model, string method, string trainer)
    {
        foreach (var phase in TrainingPlanner.Plan(Request(model, method, trainer)).Devices.SelectMany(device => device.Phases))
        {
            Assert.Equal(phase.Lines.Sum(line => line.Bytes.Expected), phase.Total.Expected);
            Assert.Equal(phase.Total.Expected, Enum.GetValues<PlanCategory>().Sum(category => phase.Of(category).Expected));
            Assert.All(phase.Lines, line => Assert.True(line.Formula.Length > 0 && line.Source.Length > 0, line.Name));
        }
    }

    [Theory]
    [InlineData("llama-3.1-8b", "full", 2)]
    [InlineData("llama-3.1-8b", "full", 8)]
    [InlineData("smollm2-135m", "full", 2)]
    [InlineData("llama-3.1-70b", "full", 64)]
    [InlineData("qwen3-30b-a3b", "lora", 4)]
    [InlineData("gpt2", "full", 2)]
    public void A_higher_zero_stage_never_needs_more_memory(string model, string method, int devices)
    {
        var request = Request(model, method, "transformers");
        var before = long.MaxValue;
        foreach (var stage in Enum.GetValues<Sharding>())
        {
            var peak = TrainingPlanner.Plan(request with { Parallel = new(devices) { Sharding = stage } }).Peak.Expected;
            Assert.True(peak <= before, $"{stage}: {peak} after {before}");
            before = peak;
        }
    }

    [Theory]
    [InlineData("llama-3.1-8b", 8, 1, 1)]
    [InlineData("llama-3.1-70b", 4, 8, 2)]
    [InlineData("llama-3.1-70b", 1, 1, 8)]
    public void The_states_of_all_devices_sum_to_those_of_one(string model, int data, int tensor, int pipeline)
    {
        var request = TrainingRuns.Full(model);
        var alone = TrainingPlanner.Plan(request).Devices[0].States();
        var plan = TrainingPlanner.Plan(request with { Parallel = new(data, tensor, pipeline) { Sharding = data > 1 ? Sharding.Weights : Sharding.None } });
        Assert.Equal(pipeline, plan.Devices.Length);
        var together = plan.Devices.Sum(device => device.States()) * data * tensor;
        // Norms exist on every tensor-parallel rank, and divisions round up.
        Assert.InRange((double)together / alone, 1, 1.001);
    }

    [Fact]
    public void Every_model_of_the_catalog_can_be_planned_by_every_method()
    {
        foreach (var model in ModelCatalog.Default.Entries.Select(entry => entry.Shape))
        {
            foreach (var (method, precision) in new[] { (TrainingMethod.Full, "bf16"), (TrainingMethod.Lora, "bf16"), (TrainingMethod.Qlora, "nf4-dq") })
            {
                var weights = PrecisionScheme.Find(precision)!.Apply(model);
                if (method == TrainingMethod.Qlora && weights.Tensors.All(tensor => tensor.Format.BitsPerWeight > 15))
                    continue;
                var plan = TrainingPlanner.Plan(TrainingRuns.Full("7b") with { Model = model, Method = method, Weights = weights, Adapter = method == TrainingMethod.Full ? null : new(8, "default") });
                Assert.True(plan.Peak.Expected > weights.Tensors.Where(tensor => tensor.Shape.Role != Models.TensorRole.NextToken).Sum(tensor => tensor.Bytes), model.Id);
            }
        }
    }

    [Fact]
    public void Offloaded_states_move_to_the_host_and_none_is_lost()
    {
        var request = TrainingRuns.Full("llama-3.1-8b");
        var device = TrainingPlanner.Plan(request).Devices[0].States();
        var offloaded = TrainingPlanner.Plan(request with { Offload = TrainingOffload.Optimizer });
        Assert.Equal(device, offloaded.Devices[0].States() + offloaded.Host!.Peak.Expected);
    }

    [Fact]
    public void The_limits_are_the_last_values_that_fit()
    {
        var request = TrainingRuns.Lora("llama-3.1-8b", quantized: "nf4") with { Checkpointing = Checkpointing.Full };
        const long Card = 24L << 30;
        var limits = TrainingLimits.Find(request, Card);
        Assert.True(TrainingLimits.Fits(request with { SequenceLength = limits.MaxContext }, Card));
        Assert.False(TrainingLimits.Fits(request with { SequenceLength = limits.MaxContext + 1 }, Card));
        Assert.True(TrainingLimits.Fits(request with { MicroBatch = limits.MaxBatch }, Card));
        Assert.False(TrainingLimits.Fits(request with { MicroBatch = limits.MaxBatch + 1 }, Card));
    }

    private static void Grows(TrainingRequest request, Func<TrainingRequest, int, TrainingRequest> at, int steps)
    {
        var before = 0L;
        for (var step = 1; step <= steps; step++)
        {
            var peak = TrainingPlanner.Plan(at(request, step)).Peak.Expected;
            Assert.True(peak >= before, $"step {step}: {peak} after {before}");
            before = peak;
        }
    }
}
