namespace Plimsoll.Quantization.Tests.ErrorFeedback;

/// <summary>GPTQ as its authors published it (IST-DASLab/gptq, gptq.py): the inverse of H, its upper Cholesky factor, and an update of all weights that are left after each column.</summary>
internal static class PublishedGptq
{
    /// <summary>The order of the columns, and the factor of the inverse in that order.</summary>
    /// <param name="gram">(columns, columns), both triangles.</param>
    public static (int[] Order, double[,] Upper) Factor(double[,] gram, double damping)
    {
        var columns = gram.GetLength(0);
        var mean = Enumerable.Range(0, columns).Average(column => gram[column, column]);
        int[] order = [.. Enumerable.Range(0, columns).OrderByDescending(column => gram[column, column]).ThenBy(column => column)];
        var hessian = new double[columns, columns];
        for (var i = 0; i < columns; i++)
        {
            for (var j = 0; j < columns; j++)
                hessian[i, j] = gram[order[i], order[j]] + (i == j ? damping * mean : 0);
        }
        return (order, Transposed(LowerFactor(Inverse(hessian))));
    }

    /// <summary>The codes of one row.</summary>
    /// <param name="round">From column and wanted weight to the code and what it stands for.</param>
    public static int[] Codes(float[] row, (int[] Order, double[,] Upper) factor, Func<int, double, (int Code, double Value)> round)
    {
        var (order, upper) = factor;
        var weights = order.Select(column => (double)row[column]).ToArray();
        var codes = new int[row.Length];
        for (var i = 0; i < row.Length; i++)
        {
            (codes[order[i]], var value) = round(order[i], weights[i]);
            var error = (weights[i] - value) / upper[i, i];
            for (var j = i; j < row.Length; j++)
                weights[j] -= error * upper[i, j];
        }
        return codes;
    }

    private static double[,] Inverse(double[,] matrix)
    {
        var size = matrix.GetLength(0);
        var left = (double[,])matrix.Clone();
        var inverse = new double[size, size];
        for (var i = 0; i < size; i++)
            inverse[i, i] = 1;
        for (var pivot = 0; pivot < size; pivot++)
        {
            var scale = 1 / left[pivot, pivot];
            for (var column = 0; column < size; column++)
            {
                left[pivot, column] *= scale;
                inverse[pivot, column] *= scale;
            }
            for (var row = 0; row < size; row++)
            {
                if (row == pivot || left[row, pivot] is var factor && factor == 0)
                    continue;
                for (var column = 0; column < size; column++)
                {
                    left[row, column] -= factor * left[pivot, column];
                    inverse[row, column] -= factor * inverse[pivot, column];
                }
            }
        }
        return inverse;
    }

    private static double[,] LowerFactor(double[,] matrix)
    {
        var size = matrix.GetLength(0);
        var lower = new double[size, size];
        for (var row = 0; row < size; row++)
        {
            for (var column = 0; column <= row; column++)
            {
                var sum = matrix[row, column];
                for (var k = 0; k < column; k++)
                    sum -= lower[row, k] * lower[column, k];
                lower[row, column] = row == column ? Math.Sqrt(sum) : sum / lower[column, column];
            }
        }
        return lower;
    }

    private static double[,] Transposed(double[,] matrix)
    {
        var result = new double[matrix.GetLength(1), matrix.GetLength(0)];
        for (var row = 0; row < matrix.GetLength(0); row++)
        {
            for (var column = 0; column < matrix.GetLength(1); column++)
                result[column, row] = matrix[row, column];
        }
        return result;
    }
}
