using System.CommandLine;
using Plimsoll.Cli.Plan;
using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Cli.Diagnose;

/// <summary><c>plimsoll diagnose</c> of text: several logs are read as one; where nothing ran out, memory over time is looked for.</summary>
internal static class DiagnoseLog
{
    public static int Run(ParseResult parsed, CliEnvironment environment, IReadOnlyList<string> files)
    {
        var input = new DiagnoseInput(files, environment);
        var log = input.ReadLog();
        var batch = parsed.GetValue(TrainingOptions.MicroBatch) ?? parsed.GetValue(PlanOptions.Batch);
        var diagnosis = OutOfMemoryDiagnosis.Of(log, batch);
        if (diagnosis.Case is null && DiagnoseGrowth.Run(parsed, environment, input.ReadText()) is { } code)
            return code;
        var report = new DiagnoseReport(diagnosis, DiagnosePlan.Create(parsed, environment, diagnosis));
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            DiagnoseJson.Write(terminal.Out, report);
        else
            DiagnoseTable.Write(terminal, report);
        return diagnosis.HasOutOfMemory ? ExitCode.No : ExitCode.Yes;
    }
}
