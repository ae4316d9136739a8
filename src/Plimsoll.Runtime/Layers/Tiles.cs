using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Runtime.Layers;

/// <summary>Products of small matrices that lie in the cache of the processor.</summary>
internal static unsafe class Tiles
{
    /// <summary>C += A · B, all row-major with their own strides, A (rows, inner), B (inner, columns).</summary>
    /// <remarks>Four rows by sixteen columns at a time: eight sums in registers, each load of B used four times.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyAdd(float* a, int strideA, float* b, int strideB, float* c, int strideC, int rows, int inner, int columns)
    {
        var row = 0;
        for (; row <= rows - 4; row += 4)
        {
            float* a0 = a + (long)row * strideA, a1 = a0 + strideA, a2 = a1 + strideA, a3 = a2 + strideA;
            var c0 = c + (long)row * strideC;
            var column = 0;
            for (; column <= columns - 16; column += 16)
            {
                float* p0 = c0 + column, p1 = p0 + strideC, p2 = p1 + strideC, p3 = p2 + strideC;
                Vector256<float> s00 = Vector256.Load(p0), s01 = Vector256.Load(p0 + 8), s10 = Vector256.Load(p1), s11 = Vector256.Load(p1 + 8);
                Vector256<float> s20 = Vector256.Load(p2), s21 = Vector256.Load(p2 + 8), s30 = Vector256.Load(p3), s31 = Vector256.Load(p3 + 8);
                var line = b + column;
                for (var k = 0; k < inner; k++, line += strideB)
                {
                    var (b0, b1) = (Vector256.Load(line), Vector256.Load(line + 8));
                    var x = Vector256.Create(a0[k]);
                    s00 = Vector256.MultiplyAddEstimate(x, b0, s00);
                    s01 = Vector256.MultiplyAddEstimate(x, b1, s01);
                    x = Vector256.Create(a1[k]);
                    s10 = Vector256.MultiplyAddEstimate(x, b0, s10);
                    s11 = Vector256.MultiplyAddEstimate(x, b1, s11);
                    x = Vector256.Create(a2[k]);
                    s20 = Vector256.MultiplyAddEstimate(x, b0, s20);
                    s21 = Vector256.MultiplyAddEstimate(x, b1, s21);
                    x = Vector256.Create(a3[k]);
                    s30 = Vector256.MultiplyAddEstimate(x, b0, s30);
                    s31 = Vector256.MultiplyAddEstimate(x, b1, s31);
                }
                s00.Store(p0);
                s01.Store(p0 + 8);
                s10.Store(p1);
                s11.Store(p1 + 8);
                s20.Store(p2);
                s21.Store(p2 + 8);
                s30.Store(p3);
                s31.Store(p3 + 8);
            }
            for (var each = 0; each < 4; each++)
                MultiplyAddRow(a0 + (long)each * strideA, b, strideB, c0 + (long)each * strideC, inner, column, columns);
        }
        for (; row < rows; row++)
            MultiplyAddRow(a + (long)row * strideA, b, strideB, c + (long)row * strideC, inner, 0, columns);
    }

    /// <summary>One row of C from a column on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAddRow(float* a, float* b, int strideB, float* c, int inner, int column, int columns)
    {
        for (; column <= columns - 32; column += 32)
        {
            var at = c + column;
            Vector256<float> s0 = Vector256.Load(at), s1 = Vector256.Load(at + 8), s2 = Vector256.Load(at + 16), s3 = Vector256.Load(at + 24);
            var line = b + column;
            for (var k = 0; k < inner; k++, line += strideB)
            {
                var x = Vector256.Create(a[k]);
                s0 = Vector256.MultiplyAddEstimate(x, Vector256.Load(line), s0);
                s1 = Vector256.MultiplyAddEstimate(x, Vector256.Load(line + 8), s1);
                s2 = Vector256.MultiplyAddEstimate(x, Vector256.Load(line + 16), s2);
                s3 = Vector256.MultiplyAddEstimate(x, Vector256.Load(line + 24), s3);
            }
            s0.Store(at);
            s1.Store(at + 8);
            s2.Store(at + 16);
            s3.Store(at + 24);
        }
        for (; column <= columns - 8; column += 8)
        {
            var sum = Vector256.Load(c + column);
            for (var k = 0; k < inner; k++)
                sum = Vector256.MultiplyAddEstimate(Vector256.Create(a[k]), Vector256.Load(b + (long)k * strideB + column), sum);
            sum.Store(c + column);
        }
        for (; column < columns; column++)
        {
            for (var k = 0; k < inner; k++)
                c[column] += a[k] * b[(long)k * strideB + column];
        }
    }

    /// <summary>C = A · Bᵀ for a few rows of A (rows, inner) and many of B (columns, inner): the scores of a single token.</summary>
    /// <remarks>Four rows by two at a time: eight sums in registers, each load of B used four times, without turning B round.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DotRows(float* a, int strideA, float* b, float* c, int strideC, int rows, int inner, int columns)
    {
        var row = 0;
        for (; row <= rows - 4 && inner % 8 == 0; row += 4)
        {
            float* a0 = a + (long)row * strideA, a1 = a0 + strideA, a2 = a1 + strideA, a3 = a2 + strideA;
            var line = c + (long)row * strideC;
            var column = 0;
            for (; column <= columns - 2; column += 2)
            {
                float* b0 = b + (long)column * inner, b1 = b0 + inner;
                Vector256<float> s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
                for (var k = 0; k < inner; k += 8)
                {
                    var (x0, x1) = (Vector256.Load(b0 + k), Vector256.Load(b1 + k));
                    var y = Vector256.Load(a0 + k);
                    s00 = Vector256.MultiplyAddEstimate(y, x0, s00);
                    s01 = Vector256.MultiplyAddEstimate(y, x1, s01);
                    y = Vector256.Load(a1 + k);
                    s10 = Vector256.MultiplyAddEstimate(y, x0, s10);
                    s11 = Vector256.MultiplyAddEstimate(y, x1, s11);
                    y = Vector256.Load(a2 + k);
                    s20 = Vector256.MultiplyAddEstimate(y, x0, s20);
                    s21 = Vector256.MultiplyAddEstimate(y, x1, s21);
                    y = Vector256.Load(a3 + k);
                    s30 = Vector256.MultiplyAddEstimate(y, x0, s30);
                    s31 = Vector256.MultiplyAddEstimate(y, x1, s31);
                }
                (line[column], line[column + 1]) = (Vector256.Sum(s00), Vector256.Sum(s01));
                (line[strideC + column], line[strideC + column + 1]) = (Vector256.Sum(s10), Vector256.Sum(s11));
                (line[2 * strideC + column], line[2 * strideC + column + 1]) = (Vector256.Sum(s20), Vector256.Sum(s21));
                (line[3 * strideC + column], line[3 * strideC + column + 1]) = (Vector256.Sum(s30), Vector256.Sum(s31));
            }
            for (; column < columns; column++)
            {
                for (var each = 0; each < 4; each++)
                    line[each * strideC + column] = Vectors.Dot(new(a0 + (long)each * strideA, inner), new(b + (long)column * inner, inner));
            }
        }
        for (; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                c[(long)row * strideC + column] = Vectors.Dot(new(a + (long)row * strideA, inner), new(b + (long)column * inner, inner));
        }
    }

    /// <summary>T = Mᵀ for M (rows, columns); T has rows of <paramref name="stride"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* m, int rows, int columns, float* t, int stride)
    {
        // Eight columns at a time keep the written lines in the first-level cache.
        for (var from = 0; from < columns; from += 8)
        {
            var to = Math.Min(columns, from + 8);
            for (var row = 0; row < rows; row++)
            {
                for (var column = from; column < to; column++)
                    t[(long)column * stride + row] = m[(long)row * columns + column];
            }
        }
    }
}
