using Plimsoll.Models;
using Plimsoll.Planning;
using Plimsoll.Planning.Calibration;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Launch;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Speed;
using Plimsoll.Planning.Training;

namespace Plimsoll.Cli.Plan;

/// <summary>Everything that <c>plimsoll plan</c> answers; the table and the JSON are views of it.</summary>
internal sealed record PlanReport
{
    /// <summary>The request of an inference plan; null for training.</summary>
    public InferenceRequest? Inference { get; init; }

    /// <summary>The request of a training plan; null for inference.</summary>
    public TrainingRequest? Training { get; init; }

    public ModelShape Model => Inference?.Model ?? Training!.Model;

    /// <summary>Tokens of one sequence, and sequences at a time, that were asked for.</summary>
    public (long Context, int Batch) Asked => Inference is { } inference ? (inference.Context, inference.Batch) : (Training!.SequenceLength, Training.MicroBatch);

    public required MemoryPlan Plan { get; init; }

    public GpuSelection? Device { get; init; }

    public PlanLimits? Limits { get; init; }

    public SpeedEstimate? Decode { get; init; }

    public SpeedEstimate? Prefill { get; init; }

    /// <summary>Why a speed is missing; null when both are there, or no device was named.</summary>
    public string? SpeedRefusal { get; init; }

    /// <summary>The levers, when they were asked for.</summary>
    public WhatIfResult? WhatIf { get; init; }

    /// <summary>With the levers: the cheapest single GPU of the catalog that holds the job as it is; null when it fits already, or when none does.</summary>
    public GpuFit? OtherGpu { get; init; }

    /// <summary>What starts the run, for every <c>--emit</c>.</summary>
    public IReadOnlyList<LaunchConfiguration> Launch { get; init; } = [];

    /// <summary>The plan beside a log of the run, when one was given.</summary>
    public CalibrationReport? Calibration { get; init; }

    public long? UsableBytes => Device?.Gpu.UsableMemory.Bytes;

    /// <summary>The expected peak of every device lies within its usable memory; null without a device.</summary>
    public bool? Fits => UsableBytes is { } usable ? Plan.Impossible is null && Plan.Devices.All(device => device.Peak.Expected <= usable) : null;

    public long? HeadroomBytes => UsableBytes - Plan.Peak.Expected;

    /// <summary>It fits by the expected value, but not by the upper bound.</summary>
    public bool IsTight => Fits == true && Plan.Peak.High > UsableBytes;
}
