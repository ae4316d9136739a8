using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Calibration.Sequential;

/// <summary>Passes on what some tensors of a layer are given, and lets the layer end behind them.</summary>
internal sealed class StageObserver(InputCollector collector, HashSet<string> tensors) : IInputObserver
{
    public bool IsSatisfied { get; private set; }

    public void Observe(string tensor, int expert, ReadOnlySpan<float> inputs, int columns)
    {
        IsSatisfied = tensors.Contains(tensor);
        if (IsSatisfied)
            collector.Observe(tensor, expert, inputs, columns);
    }
}
