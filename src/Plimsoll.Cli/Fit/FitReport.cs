using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Cli.Fit;

/// <summary>What <c>plimsoll fit</c> answers.</summary>
internal sealed record FitReport(InferenceRequest Asked, GpuSelection Device, FitResult Result);
