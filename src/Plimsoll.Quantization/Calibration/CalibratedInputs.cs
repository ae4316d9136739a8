namespace Plimsoll.Quantization.Calibration;

/// <summary>The inputs of all linear layers of a model.</summary>
public sealed class CalibratedInputs
{
    private readonly InputCollector seen;
    private readonly Dictionary<InputStatistics, LayerInputs> inputs = [];

    private CalibratedInputs(InputCollector seen) => this.seen = seen;

    /// <param name="seen">What was seen; it loses its Gram matrices on the way.</param>
    /// <param name="progress">Called with the number of layers done.</param>
    /// <exception cref="OperationCanceledException">It was cancelled between two layers.</exception>
    public static CalibratedInputs Create(InputCollector seen, int threads, Action<int> progress, CancellationToken cancellation)
    {
        var all = new CalibratedInputs(seen);
        foreach (var statistics in seen.Distinct)
        {
            cancellation.ThrowIfCancellationRequested();
            all.inputs[statistics] = LayerInputs.Of(statistics, threads);
            progress(all.inputs.Count);
        }
        return all;
    }

    /// <summary>What a layer was given; null when nothing was.</summary>
    /// <param name="tensor">The weight as the checkpoint that was run names it.</param>
    public LayerInputs? Find(string tensor, int expert) => seen.Find(tensor, expert) is { } statistics ? inputs[statistics] : null;
}
