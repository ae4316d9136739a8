using System.CommandLine;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Cli.Plan;

/// <summary>From options to a request; every value that makes no sense is named with the next step.</summary>
internal static class PlanRequestBuilder
{
    private const long DefaultContext = 8192;

    /// <param name="defaultEngine">The engine when neither the user nor the model names one; null chooses by the kind of weights.</param>
    public static InferenceRequest Build(ParseResult parsed, CliEnvironment environment, LocatedModel located, int gpuCount, long? deviceBytes, string? defaultEngine = null)
    {
        var shape = located.Shape;
        var weights = Weights(parsed.GetValue(PlanOptions.Precision), located);
        var engine = Engine(parsed.GetValue(PlanOptions.Engine) ?? PlanLaunch.Engine(parsed) ?? defaultEngine, weights, located, UserCatalogs.Engines(environment));
        var context = parsed.GetValue(PlanOptions.Context) ?? Math.Min(DefaultContext, shape.MaxContext ?? DefaultContext);
        var parallel = Parallel(parsed.GetValue(PlanOptions.Parallel), engine, shape, gpuCount);
        var utilization = parsed.GetValue(PlanOptions.Utilization);
        if (utilization is <= 0 or > 1)
            throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"--utilization takes a fraction above 0 and up to 1, not {utilization}"));
        var request = new InferenceRequest
        {
            Model = shape,
            Weights = weights,
            Engine = engine,
            Context = context,
            Prompt = parsed.GetValue(PlanOptions.Prompt),
            Batch = parsed.GetValue(PlanOptions.Batch) ?? 1,
            KvFormat = KvFormatOf(parsed.GetValue(PlanOptions.KvPrecision)),
            FlashAttention = !parsed.GetValue(PlanOptions.Eager),
            Parallel = parallel,
            DeviceBytes = deviceBytes,
            LlamaCpp = new()
            {
                GpuLayers = parsed.GetValue(PlanOptions.GpuLayers),
                CpuExpertLayers = parsed.GetValue(PlanOptions.CpuExperts) ?? 0,
                MicroBatch = parsed.GetValue(PlanOptions.MicroBatch) ?? 512,
                DraftDepth = parsed.GetValue(PlanOptions.DraftTokens) ?? 0,
                UnifiedKv = !parsed.GetValue(PlanOptions.SplitKv),
                FullWindowCache = parsed.GetValue(PlanOptions.FullWindow),
                TensorSplit = TensorSplit(parsed.GetValue(PlanOptions.TensorSplit), parallel.Pipeline),
            },
            Vllm = new()
            {
                Utilization = utilization,
                MaxBatchedTokens = parsed.GetValue(PlanOptions.BatchedTokens),
                MaxSequences = parsed.GetValue(PlanOptions.MaxSequences),
                EnforceEager = parsed.GetValue(PlanOptions.EnforceEager),
            },
        };
        RefuseForeignOptions(parsed, engine);
        return request;
    }

    /// <summary>The stored weights as they are, or the model in the precision that was asked for.</summary>
    public static WeightSet Weights(string? precision, LocatedModel located)
    {
        if (precision is null && located.Checkpoint is { MissingFiles.IsEmpty: true } checkpoint)
            return WeightSet.FromCheckpoint(located.Shape, checkpoint.Tensors, checkpoint.Gguf?.Integer("general.file_type"));
        var name = precision ?? located.StoredPrecision ?? "bf16";
        var scheme = precision is null && located.Quantization is { } quantization ? new ConfiguredScheme(quantization)
            : PrecisionScheme.Find(name) ?? throw CliException.WrongUsage(PrecisionScheme.ExplainUnknown(name));
        try
        {
            var weights = scheme.Apply(located.Shape);
            return located.Checkpoint is { MissingFiles: { IsEmpty: false } missing } && precision is null
                ? weights with { Notes = weights.Notes.Add(string.Create(CultureInfo.InvariantCulture, $"{missing.Length} files of the checkpoint are missing ({missing[0]} …); planned as {name} from its configuration")) }
                : weights;
        }
        catch (PrecisionNotApplicableException failure)
        {
            throw CliException.WrongUsage(failure.Message);
        }
    }

    private static EngineProfile Engine(string? name, WeightSet weights, LocatedModel located, EngineCatalog engines)
    {
        name ??= weights.Precision.StartsWith("gguf:", StringComparison.Ordinal) || located.IsGguf ? "llama.cpp" : "transformers";
        return engines.Find(name) ?? throw CliException.WrongUsage(
            $"unknown engine '{name}'", $"known engines: {string.Join(", ", engines.Names)}");
    }

    private static KvFormat KvFormatOf(string? text)
    {
        if (text is null)
            return KvFormat.Fp16;
        var parts = text.Split('/');
        if (parts.Length > 2)
            throw CliException.WrongUsage($"--kv-precision takes one format or keys/values, not '{text}'");
        return new(Format(parts[0]), Format(parts[^1]));

        static NumberFormat Format(string name) => NumberFormats.Find(name) ?? throw CliException.WrongUsage(
            $"unknown KV cache precision '{name}'", $"did you mean {string.Join(", ", ClosestNames.Find(name, NumberFormats.Names))}?");
    }

    private static Parallelism Parallel(string? text, EngineProfile engine, ModelShape shape, int gpuCount)
    {
        if (text is null)
            return Parallelism.Default(engine.Id, shape, gpuCount);
        var degrees = new Dictionary<string, int> { ["tp"] = 1, ["pp"] = 1, ["ep"] = 1 };
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var pair = part.Split('=');
            if (pair.Length != 2 || !degrees.ContainsKey(pair[0].ToLowerInvariant()) || !int.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out var degree) || degree is < 1 or > 4096)
                throw CliException.WrongUsage($"--parallel takes degrees from 1 to 4096 as tp=2,pp=1,ep=1; '{part}' is not one");
            degrees[pair[0].ToLowerInvariant()] = degree;
        }
        var parallel = new Parallelism(degrees["tp"], degrees["pp"], degrees["ep"]);
        if (!Parallelism.DividesHeads(shape, parallel.Tensor))
        {
            var valid = Enumerable.Range(2, 15).Where(degree => Parallelism.DividesHeads(shape, degree));
            throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"the attention heads of {shape.Id} cannot be divided among tp={parallel.Tensor}"), $"choose tp={string.Join(" or ", valid)}, or divide the layers with pp={parallel.Tensor}");
        }
        return gpuCount == 1 || parallel.Devices == gpuCount
            ? parallel
            : throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"--parallel {text} uses {parallel.Devices} GPUs, --gpu names {gpuCount}"));
    }

    private static double[] TensorSplit(string? text, int gpus)
    {
        if (text is null)
            return [];
        var shares = text.Split(',', StringSplitOptions.TrimEntries)
            .Select(part => double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && double.IsFinite(share) ? share : -1)
            .ToArray();
        if (shares.Any(share => share < 0) || shares.Sum() <= 0 || shares.Length != gpus)
            throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"--tensor-split takes one share per GPU ({gpus}), such as {string.Join(',', Enumerable.Repeat("1", gpus))}, not '{text}'"));
        return shares;
    }

    /// <summary>An option of another engine would be ignored silently; better to say so.</summary>
    private static void RefuseForeignOptions(ParseResult parsed, EngineProfile engine)
    {
        Option[] llamaCpp = [PlanOptions.GpuLayers, PlanOptions.CpuExperts, PlanOptions.DraftTokens, PlanOptions.SplitKv, PlanOptions.FullWindow, PlanOptions.TensorSplit];
        Option[] vllm = [PlanOptions.Utilization, PlanOptions.BatchedTokens, PlanOptions.MaxSequences, PlanOptions.EnforceEager];
        Refuse(llamaCpp, engine.Id is "llama.cpp" or "ik_llama.cpp", "llama.cpp");
        Refuse(vllm, engine.Id == "vllm", "vllm");

        void Refuse(Option[] options, bool allowed, string owner)
        {
            if (!allowed && options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } foreign)
                throw CliException.WrongUsage($"{foreign.Name} is an option of {owner}; this plan is for {engine.Id}", $"add --engine {owner}, or leave {foreign.Name} out");
        }
    }
}
