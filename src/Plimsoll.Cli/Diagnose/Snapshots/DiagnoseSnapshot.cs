using System.Collections.Immutable;
using System.CommandLine;
using Plimsoll.Diagnostics.Snapshots;

namespace Plimsoll.Cli.Diagnose.Snapshots;

/// <summary><c>plimsoll diagnose</c> of a CUDA memory snapshot.</summary>
internal static class DiagnoseSnapshot
{
    internal static readonly Option<string?> Diff = new("--diff") { Description = "memory snapshot: an earlier one, to see which lines of code hold more or less" };
    internal static readonly Option<string?> Svg = new("--svg") { Description = "memory snapshot: draw memory over time into this file" };
    internal static readonly Option<string?> Html = new("--html") { Description = "memory snapshot: write a page to zoom into, which needs no network" };
    internal static readonly Option<bool> Redact = new("--redact") { Description = "memory snapshot: leave out the folders of source files" };

    public static int Run(ParseResult parsed, CliEnvironment environment, IReadOnlyList<string> files)
    {
        if (files.Count > 1)
            throw CliException.WrongUsage($"{files[0]} is a memory snapshot; one is diagnosed at a time", $"to compare two: plimsoll diagnose {files[0]} --diff {files[1]}");
        var diagnosis = Read(parsed, files[0]);
        var changes = parsed.GetValue(Diff) is { } other ? SnapshotDifference.Of(Read(parsed, other), diagnosis) : (ImmutableArray<HolderChange>?)null;
        if (parsed.GetValue(Svg) is { } svg)
            File.WriteAllText(svg, TimelinePlot.Draw(diagnosis));
        if (parsed.GetValue(Html) is { } html)
            File.WriteAllText(html, SnapshotPage.Write(diagnosis));
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            SnapshotJson.Write(terminal.Out, diagnosis, changes);
        else
            SnapshotTable.Write(terminal, diagnosis, changes);
        return diagnosis.HasProblem ? ExitCode.No : ExitCode.Yes;
    }

    private static SnapshotDiagnosis Read(ParseResult parsed, string path)
    {
        if (!File.Exists(path))
            throw CliException.BadInput($"{path}: no such file");
        var diagnosis = SnapshotDiagnosis.Of(SnapshotReader.Read(path));
        return parsed.GetValue(Redact) ? diagnosis.WithoutFolders() : diagnosis;
    }
}
