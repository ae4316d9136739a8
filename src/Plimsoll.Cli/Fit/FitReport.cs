using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Launch;

namespace Plimsoll.Cli.Fit;

/// <summary>What <c>plimsoll fit</c> answers.</summary>
/// <param name="Launch">What starts the chosen run; null when nothing fits, or when the engine has no launch command here.</param>
internal sealed record FitReport(InferenceRequest Asked, GpuSelection Device, FitResult Result, LaunchConfiguration? Launch);
