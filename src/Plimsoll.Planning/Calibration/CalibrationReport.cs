using System.Collections.Immutable;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Calibration;

/// <summary>How a logged size lies to the planned one.</summary>
public enum CalibrationVerdict
{
    /// <summary>Equal but for the rounding of the printed figure.</summary>
    Exact,
    WithinBounds,
    Outside,
}

/// <summary>One term of a plan beside the size that the log gives it.</summary>
/// <param name="Rounding">What the logged figure may be off by for its printed digits, in bytes.</param>
public sealed record CalibrationTerm(string Name, ByteRange Planned, long Logged, long Rounding)
{
    /// <summary>The constant of the engine behind it; null for what a formula computes.</summary>
    public string? Constant { get; init; }

    public long Difference => Planned.Expected - Logged;

    /// <summary>(planned - logged) / logged, signed, as the accuracy report counts it; null when nothing was logged.</summary>
    public double? Error => Logged == 0 ? null : (double)Difference / Logged;

    public CalibrationVerdict Verdict =>
        Math.Abs(Difference) <= Rounding + (Logged / 10_000) ? CalibrationVerdict.Exact
        : Logged + Rounding >= Planned.Low && Logged - Rounding <= Planned.High ? CalibrationVerdict.WithinBounds
        : CalibrationVerdict.Outside;
}

/// <summary>A plan beside the log of the run: term by term, what was set differently, and which constants of the engine the log corrects.</summary>
public sealed record CalibrationReport
{
    public required EngineLog Log { get; init; }

    public required ImmutableArray<CalibrationTerm> Terms { get; init; }

    /// <summary>Settings of the log that the plan does not share, and formulas that disagree with it. These are never calibrated away.</summary>
    public required ImmutableArray<string> Findings { get; init; }

    public required ImmutableArray<EngineCorrection> Corrections { get; init; }

    /// <summary>An inference plan beside a log of its engine.</summary>
    /// <exception cref="EngineLogException">The log is of another engine, or has nothing that the plan predicts.</exception>
    public static CalibrationReport Create(InferenceRequest request, MemoryPlan plan, EngineLog log, DateOnly date)
    {
        var draft = (log.Kind, request.Engine.Id) switch
        {
            (EngineLogKind.LlamaCpp, "llama.cpp" or "ik_llama.cpp") => LlamaCppCalibration.Compare(request, plan, log),
            (EngineLogKind.Vllm, "vllm") => VllmCalibration.Compare(request, plan, log),
            (EngineLogKind.PyTorch, "transformers" or "litgpt") => PyTorchCalibration.Compare(request, plan, log),
            _ => throw new EngineLogException($"{log.Path} is a log of {Name(log.Kind)}; the plan is for {request.Engine.Id} (add --engine {Engine(log.Kind)})"),
        };
        return draft.ToReport(log, request.Engine, date);
    }

    /// <summary>A training plan beside torch's account of the run. It corrects no constants: what training frameworks add is part of their recipes.</summary>
    /// <exception cref="EngineLogException">The log is not torch's, or has nothing that the plan predicts.</exception>
    public static CalibrationReport Create(TrainingRequest request, MemoryPlan plan, EngineLog log)
    {
        if (log.Kind != EngineLogKind.PyTorch)
            throw new EngineLogException($"{log.Path} is a log of {Name(log.Kind)}; a training run is compared with what torch prints: torch.cuda.memory_summary(), or \"allocated: 14.99 GiB, reserved: 15.20 GiB\"");
        return PyTorchCalibration.Compare(plan, log).ToReport(log, request.Trainer, default);
    }

    /// <summary>The engine to plan for when the user named none.</summary>
    public static string Engine(EngineLogKind kind) => kind switch
    {
        EngineLogKind.LlamaCpp => "llama.cpp",
        EngineLogKind.Vllm => "vllm",
        _ => "transformers",
    };

    private static string Name(EngineLogKind kind) => kind switch
    {
        EngineLogKind.LlamaCpp => "llama.cpp",
        EngineLogKind.Vllm => "vLLM",
        _ => "PyTorch",
    };
}
