using System.Collections.Immutable;

namespace Plimsoll.Quantization.Running;

/// <summary>How a planned output is to be made.</summary>
public sealed record QuantizationRequest
{
    /// <summary>The file or folder to write.</summary>
    public required string Target { get; init; }

    /// <summary>Every choice that changes bytes, and the program's version: an unfinished run of another recipe is not continued.</summary>
    public required string Recipe { get; init; }

    /// <summary>The files that hold the weights.</summary>
    public required ImmutableArray<string> SourceFiles { get; init; }

    public required int Threads { get; init; }

    /// <summary>Go on where an unfinished run of the same work ended; without one begin.</summary>
    public bool Resume { get; init; }

    /// <summary>Memory that the jobs take besides while they are prepared.</summary>
    public long CalibrationBytes { get; init; }

    /// <summary>Disk that they take meanwhile, beside the output.</summary>
    public long CalibrationDiskBytes { get; init; }

    /// <summary>Replace what is under the target's name.</summary>
    public bool Replace { get; init; }

    /// <summary>Take weights that are NaN or infinite for 0; else they end the run.</summary>
    public bool AllowNonFinite { get; init; }

    public OutputDisk Disk { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Told when encoding begins: the plan of the run, all weights, each counted as often as its <see cref="Output.WeightJob.Effort"/>, and how many of them an earlier run had written.</summary>
    public Action<RunPlan, long, long> Started { get; init; } = (_, _, _) => { };

    /// <summary>Told the number of weights, counted so, that are done and the tensor at work; from several threads.</summary>
    public Action<long, string> Progress { get; init; } = (_, _) => { };
}
