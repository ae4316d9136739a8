using System.CommandLine;
using Plimsoll.Diagnostics.Snapshots;

namespace Plimsoll.Cli.Diagnose.Snapshots;

/// <summary><c>plimsoll diagnose</c> of a CUDA memory snapshot.</summary>
internal static class DiagnoseSnapshot
{
    public static int Run(ParseResult parsed, CliEnvironment environment, IReadOnlyList<string> files)
    {
        if (files.Count > 1)
            throw CliException.WrongUsage($"{files[0]} is a memory snapshot; one is diagnosed at a time");
        var diagnosis = SnapshotDiagnosis.Of(SnapshotReader.Read(files[0]));
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            SnapshotJson.Write(terminal.Out, diagnosis);
        else
            SnapshotTable.Write(terminal, diagnosis);
        return diagnosis.HasProblem ? ExitCode.No : ExitCode.Yes;
    }
}
