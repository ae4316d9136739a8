namespace Plimsoll.Diagnostics.Growth;

/// <summary>Which curve troughs follow: a line without end, or one that levels off.</summary>
internal enum Curve
{
    /// <summary>a + b·t</summary>
    Line,

    /// <summary>a − b·e^(−t/τ)</summary>
    Saturation,

    /// <summary>a + b·min(t, T)</summary>
    RampThenLevel,
}

/// <summary>Compares curves by the Bayesian information criterion, n·ln(RSS/n) + p·ln n. The scale (τ or T) is searched on a grid; the rest is linear least squares.</summary>
/// <param name="Bic">Its criterion; smaller is better.</param>
/// <param name="Scale">τ or T as a share of the run.</param>
/// <param name="Level">Where it levels off, in bytes; infinite for a line.</param>
internal readonly record struct CurveFit(Curve Curve, double Bic, double Scale, double Level)
{
    private const int GridSteps = 40;

    /// <summary>Residuals below this share of the rise are no evidence about the shape: allocators count in pieces.</summary>
    private const double ResidualFloor = 0.002;

    public static CurveFit Line(Troughs troughs) => Fit(troughs, Curve.Line, 1, share => share);

    public static CurveFit Saturation(Troughs troughs) =>
        Best(troughs, Curve.Saturation, step => 0.02 * Math.Pow(100, step / (double)GridSteps), (share, scale) => -Math.Exp(-share / scale));

    public static CurveFit RampThenLevel(Troughs troughs) => Best(troughs, Curve.RampThenLevel, step => 0.05 + (0.9 * step / GridSteps), Math.Min);

    private static CurveFit Best(Troughs troughs, Curve curve, Func<int, double> scaleAt, Func<double, double, double> shape)
    {
        var best = new CurveFit(curve, double.PositiveInfinity, 1, double.PositiveInfinity);
        for (var step = 0; step <= GridSteps; step++)
        {
            var scale = scaleAt(step);
            var fit = Fit(troughs, curve, scale, share => shape(share, scale));
            if (fit.Bic < best.Bic)
                best = fit;
        }
        return best;
    }

    private static CurveFit Fit(Troughs troughs, Curve curve, double scale, Func<double, double> shape)
    {
        var (n, start, span) = (troughs.Count, troughs.At[0], troughs.At[^1] - troughs.At[0]);
        var x = Array.ConvertAll(troughs.At, at => shape(span > 0 ? (at - start) / span : 0));
        var (meanX, meanY) = (x.Average(), troughs.Bytes.Average());
        double covariance = 0, variance = 0, total = 0;
        for (var index = 0; index < n; index++)
        {
            var (dx, dy) = (x[index] - meanX, troughs.Bytes[index] - meanY);
            covariance += dx * dy;
            variance += dx * dx;
            total += dy * dy;
        }
        var slope = variance > 0 ? covariance / variance : 0;
        var floor = ResidualFloor * (troughs.Bytes.Max() - troughs.Bytes.Min());
        var residual = (Math.Max(0, total - (slope * covariance)) / n) + (floor * floor) + 1;
        var parameters = curve == Curve.Line ? 2 : 3;
        var intercept = meanY - (slope * meanX);
        var level = curve switch { Curve.Saturation => intercept, Curve.RampThenLevel => intercept + (slope * scale), _ => double.PositiveInfinity };
        return new(curve, (n * Math.Log(residual)) + (parameters * Math.Log(n)), scale, level);
    }
}
