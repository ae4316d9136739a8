using System.Globalization;
using Plimsoll.Planning.Accuracy;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Calibration;

/// <summary>A plan beside what torch's allocator reports: its peaks, and what nvidia-smi counts beyond them.</summary>
internal static class PyTorchCalibration
{
    /// <summary>The peaks of all GPUs together, as <c>device_map</c> deals out the layers.</summary>
    public static CalibrationDraft Compare(InferenceRequest request, MemoryPlan plan, EngineLog log)
    {
        var draft = new CalibrationDraft();
        draft.AddSum("allocated peak", TransformersCases.Allocated(plan), log.Of(LogTerm.Allocated));
        draft.AddConstant("CUDA context", "cuda_context", request.Engine.Bytes("cuda_context"), Contexts(log));
        CompareDevices(draft, plan.Devices.Length, log);
        return draft;
    }

    /// <summary>The peak of the fullest rank of a training run.</summary>
    public static CalibrationDraft Compare(MemoryPlan plan, EngineLog log)
    {
        var draft = new CalibrationDraft();
        draft.AddLargest("allocated peak", TrainingCases.Of(plan, reserved: false), log.Of(LogTerm.Allocated));
        draft.AddLargest("reserved peak", TrainingCases.Of(plan, reserved: true), log.Of(LogTerm.Reserved));
        return draft;
    }

    private static IEnumerable<LoggedSize> Contexts(EngineLog log) =>
        from process in log.Of(LogTerm.Process)
        from reserved in log.Of(LogTerm.Reserved)
        where reserved.Place == process.Place && process.Bytes > reserved.Bytes
        select process with { Bytes = process.Bytes - reserved.Bytes, Rounding = process.Rounding + reserved.Rounding };

    private static void CompareDevices(CalibrationDraft draft, int planned, EngineLog log)
    {
        var logged = log.Of(LogTerm.Allocated).Count();
        if (logged > 0 && logged != planned)
            draft.AddFinding(string.Create(CultureInfo.InvariantCulture, $"the log has {logged} GPUs, the plan {planned}: add --parallel pp={logged}, or --gpu \"{logged}x NAME\""));
    }
}
