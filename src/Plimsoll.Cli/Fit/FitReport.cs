using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Launch;

namespace Plimsoll.Cli.Fit;

/// <summary>What <c>plimsoll fit</c> answers.</summary>
/// <param name="OverheadBytes">What the program itself takes beside the model and the budget leaves out: on the CPU the process, on a GPU nothing.</param>
/// <param name="Launch">What starts the chosen run; null when nothing fits, or when the engine has no launch command here.</param>
/// <param name="Measured">The candidates as they were written and run; null when it was only planned.</param>
internal sealed record FitReport(InferenceRequest Asked, GpuSelection Device, long OverheadBytes, FitResult Result, LaunchConfiguration? Launch, FitMeasurement? Measured)
{
    /// <summary>What the model may take.</summary>
    public long BudgetBytes => Device.Gpu.UsableMemory.Bytes;
}
