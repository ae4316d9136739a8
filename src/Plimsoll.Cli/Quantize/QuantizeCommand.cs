using System.CommandLine;
using Plimsoll.Cli.Calibrate;
using Plimsoll.Cli.Quantize.Sizing;
using Plimsoll.Numerics;
using Plimsoll.Quantization;
using Plimsoll.Quantization.Calibration.Sequential;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Cli.Quantize;

/// <summary><c>plimsoll quantize MODEL --to FORMAT -o OUT</c>: a checkpoint in a smaller format.</summary>
internal static class QuantizeCommand
{
    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "quantize",
            """
            Writes a checkpoint in another format: a GGUF file that llama.cpp loads, or a folder of safetensors that transformers and vLLM load.
            Reads one tensor at a time, so memory depends on the largest tensor and not on the model. The output appears when it is whole.

            Examples:
              plimsoll quantize ./Qwen3-8B --to q4_k_m -o qwen3-8b-q4_k_m.gguf
              plimsoll quantize ./Qwen3-8B --to gptq:4bit-g128 -o qwen3-8b-gptq
              plimsoll quantize model-f16.gguf --to gguf:iq2_xs --imatrix imatrix.gguf -o model-iq2_xs.gguf
              plimsoll quantize ./Qwen3-8B --to q4_k_m --tensor-type 'attn_v=q8_0' --search best -o best.gguf
              plimsoll quantize ./Qwen3-0.6B --to q4_k_m --method gptq --calibration sample.txt -o calibrated.gguf
              plimsoll quantize ./Qwen3-0.6B --to gguf --target 4.5bpw --calibration sample.txt -o small.gguf
              plimsoll quantize ./Qwen3-8B --to nf4 --memory-plan -o qwen3-8b-nf4
            """)
        {
            QuantizeOptions.Model,
        };
        foreach (var option in QuantizeOptions.All)
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        try
        {
            var target = QuantizeTarget.Read(parsed);
            var source = QuantizeSource.Open(parsed.GetValue(QuantizeOptions.Model)!, environment);
            using var sizing = target.Goal is null ? null : new SizingRun(parsed, environment, Threads(parsed, environment));
            if (target.Calibration is { } text)
                target = Learn(parsed, environment, target, source, text, sizing);
            using var calibration = target.Gguf?.Sequential;
            var plan = source.Plan(target);
            CheckMemory(calibration, environment);
            var request = Request(parsed, environment, target, source);
            return parsed.GetValue(QuantizeOptions.MemoryPlan) ? ShowPlan(parsed, environment, target, plan, request) : Quantize(parsed, environment, target, source, plan, request, sizing);
        }
        catch (QuantizationRefusedException refused)
        {
            throw CliException.WrongUsage(refused.Message);
        }
        catch (NonFiniteWeightException failure)
        {
            throw CliException.BadInput(failure.Message, "--allow-nonfinite reads it as 0");
        }
    }

    /// <summary>The target with what the text has shown of the model.</summary>
    private static QuantizeTarget Learn(ParseResult parsed, CliEnvironment environment, QuantizeTarget target, QuantizeSource source, string text, SizingRun? sizing)
    {
        using var run = CalibrationRun.Load(parsed.GetValue(QuantizeOptions.Model)!, text, Threads(parsed, environment), parsed, environment);
        if (target.HuggingFace is { } recipe)
            return target.With(run.Calibrate(recipe), run.Text);
        var heldOut = sizing is null ? null : run.HoldOut();
        if (sizing is null)
            return target.With(run.Sequential(QuantizationRunner.UnfinishedPath(parsed.GetValue(QuantizeOptions.Out)!)));
        target = target.With(target.Method.LearnsFromText ? run.Calibrate() : run.Weigh());
        return sizing.Choose(target, source, run, heldOut!);
    }

    private static void CheckMemory(SequentialCalibration? calibration, CliEnvironment environment)
    {
        if (calibration?.PeakBytes is { } needed && environment.AvailableMemory() is var free && needed > free)
        {
            throw CliException.Environment(
                $"the text goes through the layers in {new ByteSize(needed)} of memory, and {new ByteSize(free)} is free",
                "take a machine with more, or 'plimsoll calibrate' and --imatrix, which need little");
        }
    }

    private static int Threads(ParseResult parsed, CliEnvironment environment) => parsed.GetValue(QuantizeOptions.Threads) ?? environment.Processors;

    private static QuantizationRequest Request(ParseResult parsed, CliEnvironment environment, QuantizeTarget target, QuantizeSource source) => new()
    {
        Target = parsed.GetValue(QuantizeOptions.Out)!,
        Recipe = target.Recipe,
        SourceFiles = source.Files,
        Threads = Threads(parsed, environment),
        CalibrationBytes = target.Gguf?.Sequential?.PeakBytes ?? 0,
        CalibrationDiskBytes = target.Gguf?.Sequential?.DiskBytes ?? 0,
        Resume = parsed.GetValue(QuantizeOptions.Resume),
        Replace = parsed.GetValue(QuantizeOptions.Force),
        AllowNonFinite = parsed.GetValue(QuantizeOptions.AllowNonFinite),
        Disk = environment.Disk,
        Time = environment.Time,
    };

    private static int ShowPlan(ParseResult parsed, CliEnvironment environment, QuantizeTarget target, OutputPlan plan, QuantizationRequest request)
    {
        var preview = QuantizationPreview.Create(plan, request);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            QuantizeJson.Write(terminal.Out, request, target, plan, preview);
        else
            QuantizeTable.Write(terminal, request, target, plan, preview);
        return ExitCode.Yes;
    }

    private static int Quantize(ParseResult parsed, CliEnvironment environment, QuantizeTarget target, QuantizeSource source, OutputPlan plan, QuantizationRequest request, SizingRun? sizing)
    {
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        QuantizationReport report;
        Progress? progress = null;
        var allWeights = 1L;
        try
        {
            report = QuantizationRunner.Run(plan, request with { Started = Started, Progress = (done, tensor) => progress?.Report(SourceBytes(done), tensor) }, environment.Interrupted);
        }
        catch (Exception) when (progress is not null && Directory.Exists(QuantizationRunner.UnfinishedPath(request.Target)))
        {
            progress.Dispose();
            terminal.Error.WriteLine($"plimsoll: what was written so far is in {QuantizationRunner.UnfinishedPath(request.Target)}; the same command with --resume goes on from there");
            throw;
        }
        finally
        {
            progress?.Dispose();
        }
        var result = new QuantizeResult(request.Target, target.Format, source.Bytes, request.Threads, [.. plan.Notes, .. target.Gguf?.Sequential?.Notes ?? []], report, sizing?.Prove(report.Files[0], target, source, request));
        if (parsed.GetValue(GlobalOptions.Json))
            QuantizeJson.Write(terminal.Out, result);
        else
            QuantizeTable.Write(terminal, result);
        return ExitCode.Yes;

        void Started(RunPlan runPlan, long weights, long done)
        {
            allWeights = Math.Max(1, weights);
            if (runPlan.CalibrationBytes > 0 && !parsed.GetValue(GlobalOptions.Quiet))
                terminal.Error.WriteLine($"plimsoll: planned are at most {new ByteSize(runPlan.PeakBytes)} of memory and {new ByteSize(runPlan.DiskBytes).ToDecimalString()} of disk");
            progress = Progress.Start(parsed, environment, "quantize", source.Bytes, ProgressUnit.Bytes, SourceBytes(done));
        }

        // The stored bytes of a weight differ by tensor; over the run they come to what the source holds.
        long SourceBytes(long weights) => (long)((double)source.Bytes * weights / allWeights);
    }
}
