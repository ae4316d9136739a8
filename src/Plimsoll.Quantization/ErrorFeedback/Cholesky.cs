using System.Numerics;
using System.Runtime.InteropServices;

namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>The Cholesky factor of a symmetric matrix, A = L · Lᵀ, in blocks of columns on all threads.</summary>
internal static class Cholesky
{
    /// <summary>Columns of a block: its rows stay in a core's cache while the rows below pass.</summary>
    private const int Block = 48;

    /// <summary>Rows that a thread takes at once.</summary>
    private const int Grain = 8;

    /// <summary>Replaces the lower triangle by L.</summary>
    /// <param name="matrix">(size, size); above the diagonal nothing is read or written.</param>
    /// <returns>Whether the matrix is positive definite; else the triangle holds nothing of use.</returns>
    public static bool Factor(double[] matrix, int size, int threads)
    {
        for (var first = 0; first < size; first += Block)
        {
            var (from, to) = (first, Math.Min(size, first + Block));
            ForRows(from, size, threads, row => Update(matrix, size, row, from, Math.Min(to, row + 1)));
            if (!FactorDiagonal(matrix, size, from, to))
                return false;
            ForRows(to, size, threads, row => Solve(matrix, size, row, from, to));
        }
        return true;
    }

    /// <summary>Takes from elements [from, to) of a row what the columns before stand for.</summary>
    private static void Update(double[] matrix, int size, int row, int from, int to)
    {
        var line = matrix.AsSpan(row * size, to);
        for (var column = from; column < to; column++)
            line[column] -= Dot(line[..from], matrix.AsSpan(column * size, from));
    }

    private static bool FactorDiagonal(double[] matrix, int size, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            Solve(matrix, size, row, from, row);
            var line = matrix.AsSpan(row * size, row + 1);
            var pivot = line[row] - Dot(line[from..row], line[from..row]);
            if (!(pivot > 0) || !double.IsFinite(pivot))
                return false;
            line[row] = Math.Sqrt(pivot);
        }
        return true;
    }

    /// <summary>Solves L · x = row for the columns [from, to).</summary>
    private static void Solve(double[] matrix, int size, int row, int from, int to)
    {
        var line = matrix.AsSpan(row * size, to);
        for (var column = from; column < to; column++)
        {
            var other = matrix.AsSpan(column * size, column + 1);
            line[column] = (line[column] - Dot(line[from..column], other[from..column])) / other[column];
        }
    }

    private static double Dot(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        var a = MemoryMarshal.Cast<double, Vector<double>>(left);
        var b = MemoryMarshal.Cast<double, Vector<double>>(right);
        var even = Vector<double>.Zero;
        var odd = Vector<double>.Zero;
        var at = 0;
        for (; at + 1 < a.Length; at += 2)
        {
            even += a[at] * b[at];
            odd += a[at + 1] * b[at + 1];
        }
        if (at < a.Length)
            even += a[at] * b[at];
        var sum = Vector.Sum(even + odd);
        for (var i = a.Length * Vector<double>.Count; i < left.Length; i++)
            sum += left[i] * right[i];
        return sum;
    }

    private static void ForRows(int from, int to, int threads, Action<int> body) =>
        Parallel.For(0, (to - from + Grain - 1) / Grain, new() { MaxDegreeOfParallelism = threads }, piece =>
        {
            for (var row = from + piece * Grain; row < Math.Min(to, from + (piece + 1) * Grain); row++)
                body(row);
        });
}
