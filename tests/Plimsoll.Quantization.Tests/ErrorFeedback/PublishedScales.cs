namespace Plimsoll.Quantization.Tests.ErrorFeedback;

/// <summary>The scales of integers as GPTQ's authors find them (IST-DASLab/gptq, quant.py, with <c>mse</c>), each column's error weighed by its mean square.</summary>
internal static class PublishedScales
{
    /// <summary>Scale and zero point of one group of weights.</summary>
    /// <param name="stored">A scale as it is stored.</param>
    public static (double Scale, int Zero) Find(float[] group, float[] importance, int bits, bool isSymmetric, Func<double, double> stored)
    {
        var highest = (1 << bits) - 1;
        var (minimum, maximum) = ((double)Math.Min(0, group.Min()), (double)Math.Max(0, group.Max()));
        if (isSymmetric)
            (minimum, maximum) = (-Math.Max(-minimum, maximum), Math.Max(-minimum, maximum));
        var (best, least) = ((Scale: 1.0, Zero: 0), double.PositiveInfinity);
        for (var i = 0; i < 80; i++)
        {
            var share = 1 - i / 100.0;
            var scale = stored(share * (maximum - minimum) / highest);
            var zero = isSymmetric ? (highest + 1) / 2 : (int)Math.Round(-share * minimum / scale);
            var error = group.Select((weight, column) => importance[column] * Math.Pow(Math.Abs(Nearest(weight, scale, zero, highest).Value - weight), 2.4)).Sum();
            if (error < least)
                (best, least) = ((scale, zero), error);
        }
        return best;
    }

    public static (int Code, double Value) Nearest(double weight, double scale, int zero, int highest)
    {
        var code = (int)Math.Clamp(Math.Round(weight / scale) + zero, 0, highest);
        return (code, scale * (code - zero));
    }
}
