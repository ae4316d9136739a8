using System.CommandLine;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Cli.Train;

/// <summary>From options to a job; every value that makes no sense is named with the next step.</summary>
internal static class TrainJobBuilder
{
    private const long DefaultContext = 512;
    private const int DefaultRank = 16;

    /// <param name="path">The model on disk.</param>
    /// <exception cref="CliException">The options contradict themselves.</exception>
    public static TrainingJob Build(ParseResult parsed, string path, ModelShape model)
    {
        var data = parsed.GetValue(TrainOptions.Data)!;
        if (!File.Exists(data))
            throw CliException.BadInput($"{data}: no such file");
        var output = parsed.GetValue(TrainOptions.Output)!;
        var quantization = TrainFormat.Read(parsed);
        if (File.Exists(output))
            throw CliException.WrongUsage($"{output} is a file", "-o takes a folder");
        if (Path.GetFullPath(output) == Path.GetFullPath(path))
            throw CliException.WrongUsage($"{output} is the model itself", "-o takes another folder, so that the original stays");
        var context = parsed.GetValue(TrainOptions.Context) ?? Math.Min(DefaultContext, model.MaxContext ?? DefaultContext);
        if (model.MaxContext is { } longest && context > longest)
            throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"rows of {context:N0} tokens are longer than the {longest:N0} that the model was made for"), $"--context {longest} is the longest");
        var method = quantization is null ? Enum.Parse<TrainingMethod>(parsed.GetValue(TrainOptions.Method)!, ignoreCase: true) : TrainingMethod.Full;
        var steps = parsed.GetValue(TrainOptions.Steps);
        return new()
        {
            Model = Path.GetFullPath(path),
            Data = Path.GetFullPath(data),
            Output = Path.GetFullPath(output),
            Method = method,
            Quantization = quantization,
            Initialize = parsed.GetValue(TrainOptions.Init),
            Compute = Enum.Parse<ComputeType>(parsed.GetValue(TrainOptions.Precision)!, ignoreCase: true),
            MasterWeights = parsed.GetValue(TrainOptions.MasterWeights) != "none",
            Optimizer = parsed.GetValue(TrainOptions.Optimizer)!,
            SequenceLength = (int)context,
            MicroBatch = parsed.GetValue(TrainOptions.Batch) ?? 1,
            Accumulation = parsed.GetValue(TrainOptions.Accumulate) ?? 1,
            Checkpointing = Enum.Parse<Checkpointing>(parsed.GetValue(TrainOptions.Checkpointing)!, ignoreCase: true),
            Steps = steps,
            Epochs = Positive(parsed, TrainOptions.Epochs),
            LearningRate = parsed.GetValue(TrainOptions.LearningRate) is null ? (method == TrainingMethod.Full ? 5e-5 : 2e-4) : Positive(parsed, TrainOptions.LearningRate),
            Schedule = Enum.Parse<LearningSchedule>(parsed.GetValue(TrainOptions.Schedule)!, ignoreCase: true),
            Warmup = parsed.GetValue(TrainOptions.Warmup) ?? (steps is { } count ? (int)Math.Ceiling(0.03 * count) : 0),
            FinalRate = Share(parsed, TrainOptions.FinalRate),
            WeightDecay = Share(parsed, TrainOptions.WeightDecay),
            Beta2 = parsed.GetValue(TrainOptions.Beta2) is not null ? Share(parsed, TrainOptions.Beta2) : parsed.GetValue(TrainOptions.Optimizer) == "lion" ? 0.99 : 0.999,
            Clip = Math.Max(0, parsed.GetValue(TrainOptions.Clip)),
            Seed = parsed.GetValue(TrainOptions.Seed),
            Pack = !parsed.GetValue(TrainOptions.NoPacking),
            Validation = Share(parsed, TrainOptions.Validation),
            ValidateEvery = parsed.GetValue(TrainOptions.ValidateEvery) ?? 0,
            SaveEvery = parsed.GetValue(TrainOptions.SaveEvery) ?? 0,
            Resume = parsed.GetValue(TrainOptions.Resume),
            Adapter = Adapter(parsed, method),
            Threads = parsed.GetValue(TrainOptions.Threads),
            Device = parsed.GetValue(TrainOptions.Libtorch) is null ? TrainingDevice.Cpu : TrainingDevice.Cuda,
        };
    }

    private static AdapterJob? Adapter(ParseResult parsed, TrainingMethod method)
    {
        Option[] own = [TrainOptions.Rank, TrainOptions.Alpha, TrainOptions.Targets, TrainOptions.Merge];
        if (method == TrainingMethod.Full)
        {
            return own.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } foreign
                ? throw CliException.WrongUsage($"{foreign.Name} describes adapters; full training has none", "train with --method lora or qlora")
                : null;
        }
        var rank = parsed.GetValue(TrainOptions.Rank) ?? DefaultRank;
        var targets = (parsed.GetValue(TrainOptions.Targets) ?? "all-linear").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new(rank, parsed.GetValue(TrainOptions.Alpha) is null ? 2 * rank : Positive(parsed, TrainOptions.Alpha), targets, parsed.GetValue(TrainOptions.Merge));
    }

    private static double Positive<T>(ParseResult parsed, Option<T> option) => Number(parsed, option, number => number > 0 && double.IsFinite(number), "a positive number");

    private static double Share<T>(ParseResult parsed, Option<T> option) => Number(parsed, option, number => number is >= 0 and < 1, "a number from 0 to below 1");

    private static double Number<T>(ParseResult parsed, Option<T> option, Func<double, bool> isGood, string what)
    {
        var number = Convert.ToDouble(parsed.GetValue(option), CultureInfo.InvariantCulture);
        return isGood(number) ? number : throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"{option.Name} takes {what}, not {number}"));
    }
}
