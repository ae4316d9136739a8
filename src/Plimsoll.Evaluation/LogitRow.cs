using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Evaluation;

/// <summary>One row of logits as a probability distribution.</summary>
/// <param name="Top">The token of the largest logit, the first of equal ones.</param>
/// <param name="Max">That logit.</param>
/// <param name="LogSum">ln Σ e^(logit): a logit less this is a log-probability.</param>
internal readonly record struct LogitRow(int Top, float Max, double LogSum)
{
    public static LogitRow Of(ReadOnlySpan<float> logits)
    {
        var top = 0;
        for (var token = 1; token < logits.Length; token++)
        {
            if (logits[token] > logits[top])
                top = token;
        }
        var max = logits[top];
        return new(top, max, max + Math.Log(SumOfExponentials(logits, max)));
    }

    public double LogProbability(float logit) => logit - LogSum;

    /// <summary>Σ e^(x − shift), eight at a time and summed in double precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfExponentials(ReadOnlySpan<float> x, float shift)
    {
        var offset = Vector256.Create(shift);
        var sum = Vector256<double>.Zero;
        var whole = x.Length - x.Length % Vector256<float>.Count;
        foreach (var lanes in MemoryMarshal.Cast<float, Vector256<float>>(x[..whole]))
        {
            var (low, high) = Vector256.Widen(Vector256.Exp(lanes - offset));
            sum += low + high;
        }
        var total = Vector256.Sum(sum);
        foreach (var value in x[whole..])
            total += MathF.Exp(value - shift);
        return total;
    }
}
