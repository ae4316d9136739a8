using System.Text.Json;
using Plimsoll.Diagnostics;
using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Cli.Diagnose;

/// <summary><c>plimsoll.diagnosis/1</c> of a log.</summary>
internal static class DiagnoseJson
{
    public const string Schema = "plimsoll.diagnosis/1";

    public static void Write(TextWriter output, DiagnoseReport report) => JsonOutput.Write(output, Schema, json =>
    {
        var diagnosis = report.Diagnosis;
        json.WriteString("kind", diagnosis.HasOutOfMemory ? "out_of_memory" : "none");
        WriteFindings(json, diagnosis.Findings);
        if (diagnosis.Case is not { } found)
            return;
        WriteEvent(json, found);
        json.WriteNumber("events", diagnosis.Events.Length);
        if (report.Planned is { } planned)
        {
            json.WriteStartObject("planned");
            json.WriteString("run", planned.Description);
            json.WriteNumber("peak_bytes", planned.Plan.Peak.Expected);
            json.WriteStrings("tensors", planned.Tensors);
            json.WriteArray("fixes", planned.Fixes, fix => WriteFix(json, fix));
            json.WriteStrings("combination", planned.Combination);
            json.WriteEndObject();
        }
    });

    public static void WriteFindings(Utf8JsonWriter json, IEnumerable<Finding> findings) => json.WriteArray("findings", findings, finding =>
    {
        json.WriteStartObject();
        json.WriteString("check", finding.Check);
        json.WriteString("severity", finding.Severity == Severity.Cause ? "cause" : "note");
        json.WriteString("message", finding.Message);
        json.WriteStrings("evidence", finding.Evidence);
        json.WriteNumberOrNull("shortage_bytes", finding.ShortageBytes);
        if (finding.ShortageBytes is not null)
            json.WriteNumber("shortage_rounding_bytes", finding.ShortageRounding);
        json.WriteString("confidence", finding.Certainty switch { Certainty.High => "high", Certainty.Medium => "medium", _ => "low" });
        json.WriteArray("fixes", finding.Fixes, fix => WriteFix(json, fix));
        json.WriteEndObject();
    });

    private static void WriteFix(Utf8JsonWriter json, Fix fix)
    {
        json.WriteStartObject();
        json.WriteString("action", fix.Action);
        json.WriteNumberOrNull("saves_bytes", fix.SavesBytes);
        json.WriteString("cost", fix.Cost);
        if (fix.Enough is { } enough)
            json.WriteBoolean("enough", enough);
        json.WriteEndObject();
    }

    private static void WriteEvent(Utf8JsonWriter json, OutOfMemoryCase found)
    {
        var (event_, ledger, sheet) = (found.Event, found.Event.Ledger, found.Sheet);
        json.WriteStartObject("event");
        json.WriteString("family", event_.Family);
        json.WriteString("program", event_.Program);
        json.WriteString("memory", event_.Kind switch { MemoryKind.Host => "host", MemoryKind.None => "none", _ => "device" });
        json.WriteString("backend", event_.Backend);
        json.WriteNumberOrNull("device", event_.Device);
        json.WriteNumberOrNull("rank", event_.Rank);
        json.WriteString("phase", PhaseName(found.Phase));
        json.WriteNumber("line", event_.Line);
        json.WriteString("text", event_.Quote);
        json.WriteEndObject();
        json.WriteStartObject("fields");
        Field("requested_bytes", ledger.Requested);
        Field("total_bytes", ledger.Total);
        Field("free_bytes", ledger.Free);
        Field("allocated_bytes", ledger.Allocated);
        Field("reserved_unallocated_bytes", ledger.ReservedUnallocated);
        Field("private_pools_bytes", ledger.PrivatePools);
        Field("allowed_bytes", ledger.Allowed);
        Field("process_bytes", sheet.Self);
        Field("outside_allocator_bytes", sheet.OutsideAllocator);
        Field("other_processes_bytes", sheet.Others);
        Field("other_allocations_bytes", ledger.OtherAllocations);
        Field("unexplained_bytes", sheet.Hidden);
        Field("shortage_bytes", sheet.Shortage);
        Field("cache_needed_bytes", event_.Serving?.CacheNeeded);
        Field("cache_available_bytes", event_.Serving?.CacheAvailable);
        if (event_.Serving is { } serving)
        {
            Field("desired_bytes", serving.Desired);
            if (serving.Utilization is { } share)
                json.WriteNumber("utilization", share);
            Number("batch", serving.Batch);
            Number("model_length_tokens", serving.ModelLength);
            Number("possible_length_tokens", serving.PossibleLength);
            Number("cache_tokens", serving.CacheTokens);
        }
        json.WriteEndObject();

        void Field(string name, Amount? amount)
        {
            if (amount is { } known)
                json.WriteNumber(name, known.Bytes);
        }

        void Number(string name, long? value)
        {
            if (value is { } known)
                json.WriteNumber(name, known);
        }
    }

    private static string PhaseName(Phase phase) => phase switch
    {
        Phase.Load => "load",
        Phase.Profiling => "profiling",
        Phase.GraphCapture => "graph_capture",
        Phase.Forward => "forward",
        Phase.Loss => "loss",
        Phase.Backward => "backward",
        Phase.OptimizerStep => "optimizer_step",
        Phase.Generation => "generation",
        Phase.Evaluation => "evaluation",
        _ => "unknown",
    };
}
