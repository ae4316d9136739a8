using System.Collections.Immutable;
using Plimsoll.Models.Inspection;

namespace Plimsoll.Cli.Inspect;

/// <summary>What <c>inspect</c> answers: one checkpoint in full, or a line for each of several.</summary>
internal sealed record InspectReport
{
    public required string Target { get; init; }

    public required ImmutableArray<CheckpointInspection> Inspections { get; init; }

    /// <summary>Files of a folder that could not be read; a single bad file ends the command instead.</summary>
    public ImmutableArray<InspectFailure> Failures { get; init; } = [];

    public bool ShowTensors { get; init; }

    public bool ShowMetadata { get; init; }

    public bool IsCheck { get; init; }

    /// <summary>Whether weights were read, and compared with a reference.</summary>
    public bool HasReadWeights { get; init; }

    public bool HasReference { get; init; }

    /// <summary>What <c>--check</c> checked: name, and the rest of the sentence "checked …".</summary>
    public IEnumerable<(string Name, string Summary)> Checks => InspectionChecks.All.Select(check => (check.Name, check.Summary))
        .Concat(HasReadWeights ? DataInspection.All.Where(check => HasReference || check != DataInspection.All[^1]).Select(check => (check.Name, check.Summary)) : []);

    /// <summary>A folder of several checkpoints is a list, also when all but one of them are broken.</summary>
    public bool IsList => Inspections.Length + Failures.Length != 1;

    public bool HasProblems => Inspections.Any(inspection => !inspection.Problems.IsEmpty);
}

/// <summary>A file of a folder that is no valid checkpoint.</summary>
internal sealed record InspectFailure(string Path, string Message);
