namespace Plimsoll.Evaluation;

/// <summary>A mean over scored tokens and its standard error.</summary>
public readonly record struct Estimate(double Value, double Error);

/// <summary>Sums that give a mean and its standard error: √((Σx² / n − mean²) / (n − 1)).</summary>
internal struct RunningMean
{
    private double _sum;
    private double _squares;

    public int Count { get; private set; }

    public void Add(double value)
    {
        _sum += value;
        _squares += value * value;
        Count++;
    }

    public readonly Estimate Estimate
    {
        get
        {
            var mean = _sum / Count;
            return new(mean, Count > 1 ? Math.Sqrt(Math.Max(0, _squares / Count - mean * mean) / (Count - 1)) : 0);
        }
    }
}
