using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Load logs of llama.cpp, ik_llama.cpp and ollama: KV cache, recurrent state, compute buffers, weights.</summary>
internal static class LlamaCppCases
{
    public static IEnumerable<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var log = LlamaCppLog.Read(measured, findModel);
        return Cache(log).Concat(Compute(log)).Concat(Weights(log)).Concat(Total(log, findModel));
    }

    private static IEnumerable<CaseResult> Cache(LlamaCppLog log)
    {
        var cell = log.Case.MeasuredMiB("kv_mib") ?? log.Case.MeasuredMiB("kv_and_state_gpu_mib");
        if (cell is not { } bytes || bytes == 0 && log.Case.MeasuredMiB("kv_mib") is null)
            yield break;
        if (log.CacheRefusal is { } reason)
        {
            yield return CaseResult.Refuse(log.Case, "kv_cache", reason);
            yield break;
        }
        var plan = InferencePlanner.Plan(log.Request());
        var withState = log.Case.MeasuredMiB("kv_mib") is null;
        var onlyDevices = withState;
        var predicted = Everywhere(plan, line => line.Category == PlanCategory.KvCache && (withState || line.Name == "KV cache"), onlyDevices);
        yield return CaseResult.Compare(log.Case, "kv_cache", bytes, predicted);
    }

    private static IEnumerable<CaseResult> Compute(LlamaCppLog log)
    {
        if (log.DeviceComputeMiB is not { } compute || compute <= 0)
            yield break;
        if ((log.CacheRefusal ?? log.ComputeRefusal) is { } reason)
        {
            yield return CaseResult.Refuse(log.Case, "compute", reason);
            yield break;
        }
        var plan = InferencePlanner.Plan(log.Request());
        var predicted = Everywhere(plan, line => line.Name == (log.ComputesOnCpu ? "host compute buffer" : "compute buffer"), onlyDevices: !log.ComputesOnCpu);
        yield return CaseResult.Compare(log.Case, "compute", ByteSize.FromMiB(compute).Bytes, predicted);
    }

    private static IEnumerable<CaseResult> Weights(LlamaCppLog log)
    {
        if (log.WeightsMiB is not { } weights || log.FileBytes is null)
            yield break;
        if (log.WeightRefusal is { } reason)
        {
            yield return CaseResult.Refuse(log.Case, "weights", reason);
            yield break;
        }
        var file = log.FileBytes.Value;
        yield return CaseResult.Compare(log.Case, "weights", ByteSize.FromMiB(weights).Bytes, ByteRange.Around(file, 0.995, 1.005));
    }

    /// <summary>The whole process on the GPU, where a source gives nothing finer.</summary>
    private static IEnumerable<CaseResult> Total(LlamaCppLog log, Func<string, ModelShape?> findModel)
    {
        if (log.Case.MeasuredMiB("total_mib") is not { } total)
            yield break;
        if (log.ContextTokens is null)
            throw new CaseRefusedException("the context length is not stated");
        var model = MemoryCases.Model(log.Case, findModel);
        var tag = CasePrecision.TagOf(log.Case.Model) ?? throw new CaseRefusedException("the quantization of the file is not stated");
        var plan = InferencePlanner.Plan(log.Request() with { Model = model, Weights = CasePrecision.Weights(tag, model) });
        yield return CaseResult.Compare(log.Case, "total", total, plan.Devices.Select(device => device.Peak).Aggregate((sum, peak) => sum + peak));
    }

    private static ByteRange Everywhere(MemoryPlan plan, Func<PlanLine, bool> chosen, bool onlyDevices)
    {
        var devices = onlyDevices ? plan.Devices.AsEnumerable() : plan.Devices.Append(plan.Host!);
        return devices.Select(device => device.PeakPhase.Sum(chosen)).Aggregate((sum, part) => sum + part);
    }
}
