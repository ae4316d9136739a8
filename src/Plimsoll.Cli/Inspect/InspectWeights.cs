using System.Collections.Immutable;
using System.CommandLine;
using Plimsoll.Models.Inspection;

namespace Plimsoll.Cli.Inspect;

/// <summary>The part of <c>inspect --check</c> that reads weights.</summary>
internal static class InspectWeights
{
    /// <summary>The report with what is wrong in the weights of every checkpoint that is on this machine.</summary>
    public static InspectReport Check(InspectReport report, CheckpointInspection? reference, ParseResult parsed, CliEnvironment environment)
    {
        var total = report.Inspections.Where(IsHere).Sum(inspection => inspection.WeightBytes);
        if (total == 0)
            return report;
        using var against = reference is null ? null : new DataInspection(reference);
        using var progress = Progress.Start(parsed, environment, "check", total, ProgressUnit.Bytes);
        var before = 0L;
        var inspections = ImmutableArray.CreateBuilder<CheckpointInspection>();
        foreach (var inspection in report.Inspections)
        {
            if (!IsHere(inspection))
            {
                inspections.Add(inspection);
                continue;
            }
            using var data = new DataInspection(inspection)
            {
                Reference = against,
                Progress = (done, parameter) => progress.Report(before + done, parameter),
                Cancellation = environment.Interrupted,
            };
            var problems = data.Run();
            inspections.Add(inspection with { Problems = inspection.Problems.AddRange(problems), Notes = inspection.Notes.AddRange(Unread(data)) });
            before += inspection.WeightBytes;
        }
        return report with { Inspections = inspections.ToImmutable(), HasReadWeights = true, HasReference = against is not null };
    }

    private static bool IsHere(CheckpointInspection inspection) => inspection.Checkpoint is { Files: [var first, ..] } && File.Exists(first);

    private static IEnumerable<string> Unread(DataInspection data) => data.Unreadable.GroupBy(parameter => parameter.TypeName, StringComparer.Ordinal)
        .Select(group => $"the weights of {group.Count()} parameter{(group.Count() == 1 ? "" : "s")} in {group.Key} were not read, the first of them {group.First().Name}.");
}
