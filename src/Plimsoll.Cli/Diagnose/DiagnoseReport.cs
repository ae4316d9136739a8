using System.Collections.Immutable;
using Plimsoll.Diagnostics;
using Plimsoll.Diagnostics.OutOfMemory;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Cli.Diagnose;

/// <summary>What the command answers: the diagnosis, and what the plan of the model adds to it.</summary>
internal sealed record DiagnoseReport(OutOfMemoryDiagnosis Diagnosis, PlannedRun? Planned);

/// <summary>The run as the planner sees it.</summary>
/// <param name="Description">Model, kind and settings in a line.</param>
/// <param name="Tensors">What the failed allocation can have been.</param>
/// <param name="Fixes">Levers with the bytes they save, most first.</param>
/// <param name="Combination">The least painful changes that fit together; empty when one lever or nothing does.</param>
internal sealed record PlannedRun(string Description, MemoryPlan Plan, long? UsableBytes, ImmutableArray<string> Tensors, ImmutableArray<Fix> Fixes, ImmutableArray<string> Combination);
