namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>How the rounding errors of the columns that are rounded first are made up for by those that come later.</summary>
/// <remarks>
/// <para>Rounding w to ŵ changes the outputs by e · xᵀ, e = w − ŵ, over all inputs by e · H · eᵀ, H = Σ xᵀx. With H = R · Rᵀ, R upper triangular, that is |e · R|², and
/// its term of column k, (e_k + Σ_{j&lt;k} e_j · R_jk ÷ R_kk)² · R_kk², is least where w_k + Σ_{j&lt;k} e_j · F_kj is rounded to nearest, F_kj = R_jk ÷ R_kk.</para>
/// <para>This is GPTQ (Frantar et al. 2022), whose updates of the weights that are left come to the same sums (Chee et al. 2023, theorem 6); R follows from one Cholesky
/// factor of H with rows and columns reversed, and no inverse is needed.</para>
/// </remarks>
public sealed class FeedbackFactor
{
    internal const double FirstDamping = 0.01;
    private const double LastDamping = 1;

    private readonly int[] order;
    private readonly float[] factors;
    private readonly float[] pivots;

    private FeedbackFactor(int[] order, float[] factors, float[] pivots, double damping) => (this.order, this.factors, this.pivots, Damping) = (order, factors, pivots, damping);

    public int Columns => order.Length;

    /// <summary>What was added to the diagonal of H, as a share of its mean.</summary>
    public double Damping { get; }

    /// <summary>The columns in the order in which they are rounded: by falling Σ x², so that those that matter most are least disturbed.</summary>
    public ReadOnlySpan<int> Order => order;

    /// <summary>F_kj for the <paramref name="k"/> columns that are rounded before.</summary>
    public ReadOnlySpan<float> Row(int k) => factors.AsSpan(k * (k - 1) / 2, k);

    /// <summary>R_kk² of each rounded column: what an error costs that nothing makes up for.</summary>
    public ReadOnlySpan<float> Pivots => pivots;

    /// <summary>The factor for inputs that are divided by <paramref name="scales"/>, one per column: H ÷ (sᵀs), rounded in the same order.</summary>
    public FeedbackFactor Divided(ReadOnlySpan<float> scales)
    {
        var (scaled, squares) = (new float[factors.Length], new float[pivots.Length]);
        var at = 0;
        for (var k = 0; k < Columns; k++)
        {
            var own = scales[order[k]];
            squares[k] = pivots[k] / (own * own);
            for (var j = 0; j < k; j++, at++)
                scaled[at] = factors[at] * own / scales[order[j]];
        }
        return new(order, scaled, squares, Damping);
    }

    /// <summary>The part of H, damped, that belongs to neighbouring columns: Σ_k R_ak · R_bk.</summary>
    /// <returns>(to − from, to − from).</returns>
    public float[] Products(int from, int to)
    {
        var size = to - from;
        var (products, places, line) = (new float[size * size], new int[size], new float[size]);
        for (var k = 0; k < Columns; k++)
        {
            if (order[k] >= from && order[k] < to)
                places[order[k] - from] = k;
        }
        for (var k = 0; k < Columns; k++)
        {
            var row = Row(k);
            for (var column = 0; column < size; column++)
                line[column] = places[column] < k ? row[places[column]] : places[column] == k ? 1 : 0;
            for (var a = 0; a < size; a++)
                AddScaled(products.AsSpan(a * size, size), line, line[a] * pivots[k]);
        }
        return products;
    }

    private static void AddScaled(Span<float> sums, ReadOnlySpan<float> values, float factor)
    {
        if (factor == 0)
            return;
        for (var at = 0; at < sums.Length; at++)
            sums[at] += values[at] * factor;
    }

    /// <summary>Bytes of a factor.</summary>
    public static long BytesFor(long columns) => columns * (columns + 1) / 2 * sizeof(float);

    /// <param name="gram">Σ xᵀx, (columns, columns): the lower triangle.</param>
    /// <returns>Null where even the strongest damping leaves H singular: its inputs are no finite numbers.</returns>
    public static FeedbackFactor? Create(ReadOnlySpan<double> gram, int columns, int threads) => Consume(gram.ToArray(), columns, threads);

    /// <summary>The same without a copy: the array, the largest thing of a calibration, is worked in.</summary>
    /// <inheritdoc cref="Create" path="/param"/>
    /// <inheritdoc cref="Create" path="/returns"/>
    public static FeedbackFactor? Consume(double[] gram, int columns, int threads)
    {
        var diagonal = new double[columns];
        for (var row = 0; row < columns; row++)
        {
            diagonal[row] = gram[row * columns + row];
            // The triangle above keeps the products while the one below becomes the factor.
            for (var column = 0; column < row; column++)
                gram[column * columns + row] = gram[row * columns + column];
        }
        var mean = diagonal.Average();
        if (!(mean > 0) || !double.IsFinite(mean))
            return null;
        int[] order = [.. Enumerable.Range(0, columns).OrderByDescending(column => diagonal[column]).ThenBy(column => column)];
        for (var damping = FirstDamping; damping <= LastDamping; damping *= 10)
        {
            for (var row = 0; row < columns; row++)
            {
                for (var column = 0; column <= row; column++)
                {
                    var (a, b) = (order[columns - 1 - row], order[columns - 1 - column]);
                    gram[row * columns + column] = a == b ? diagonal[a] + damping * mean : gram[Math.Min(a, b) * columns + Math.Max(a, b)];
                }
            }
            if (Cholesky.Factor(gram, columns, threads))
                return new(order, Normalize(gram, columns), Squares(gram, columns), damping);
        }
        return null;
    }

    /// <summary>From L of the reversed matrix: R_jk = L_(n−1−j),(n−1−k).</summary>
    private static float[] Normalize(double[] lower, int columns)
    {
        var factors = new float[columns * (columns - 1) / 2];
        var at = 0;
        for (var k = 0; k < columns; k++)
        {
            var pivot = columns - 1 - k;
            for (var j = 0; j < k; j++)
                factors[at++] = (float)(lower[(columns - 1 - j) * columns + pivot] / lower[pivot * columns + pivot]);
        }
        return factors;
    }

    private static float[] Squares(double[] lower, int columns)
    {
        var squares = new float[columns];
        for (var k = 0; k < columns; k++)
        {
            var pivot = lower[(columns - 1 - k) * columns + columns - 1 - k];
            squares[k] = (float)(pivot * pivot);
        }
        return squares;
    }
}
