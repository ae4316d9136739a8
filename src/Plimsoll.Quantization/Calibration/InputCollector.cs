using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Calibration;

/// <summary>Counts what every linear layer of a running model is given.</summary>
/// <param name="keepsGrams">Whether Σ xᵀx is kept besides Σ x².</param>
public sealed class InputCollector(bool keepsGrams, int threads) : IInputObserver
{
    private readonly Dictionary<(string Tensor, int Expert), InputStatistics> statistics = [];
    private readonly InputBatch batch = new();
    private InputStatistics? last;

    /// <summary>What was seen of a matrix; null when nothing was.</summary>
    /// <param name="tensor">The weight as the checkpoint names it.</param>
    public InputStatistics? Find(string tensor, int expert) => statistics.GetValueOrDefault((tensor, expert));

    /// <summary>What was seen, once where layers share it, in the order of their first call.</summary>
    public IEnumerable<InputStatistics> Distinct => statistics.Values.Distinct();

    /// <remarks>Layers that are called one after the other with equal inputs share their statistics.</remarks>
    public void Observe(string tensor, int expert, ReadOnlySpan<float> inputs, int columns)
    {
        var isSame = last is not null && batch.Holds(inputs, columns);
        if (!statistics.TryGetValue((tensor, expert), out var own))
            statistics[(tensor, expert)] = own = isSame ? last! : new(columns, keepsGrams);
        if (isSame && own == last)
            return;
        if (!isSame)
            batch.Fill(inputs, columns);
        own.Add(batch, threads);
        last = own;
    }
}
