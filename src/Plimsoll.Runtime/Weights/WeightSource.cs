using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>The tensors of a checkpoint by one set of names, whoever wrote it, brought to the layout that products want.</summary>
internal sealed class WeightSource(DecoderCheckpoint checkpoint) : IDisposable
{
    private readonly WeightReader reader = checkpoint.Reader!;
    private readonly HuggingFaceNames? names = checkpoint.Names;

    public bool Has(WeightName name) => checkpoint.Has(name);

    public bool HasRows(WeightName name, int rows) => Has(name) && reader.Find(NameOf(name)) is { } weight && weight.Rows == rows;

    /// <summary>The tensor as the checkpoint names it.</summary>
    public string NameOf(WeightName name) => checkpoint.NameOf(name);

    public Linear Linear(WeightName name, int rows, int columns, bool biasRequired)
    {
        var matrix = Matrix(name, rows, columns);
        return new(NameOf(name), matrix, biasRequired ? RequireVector(name.Bias, rows) : Vector(name.Bias, rows));
    }

    /// <summary>Queries, keys and values in one matrix of query + 2 × keyValue rows, one after the other.</summary>
    public Linear FusedProjection(WeightName name, int query, int keyValue, int columns, int headDim, bool biasRequired)
    {
        var rows = query + 2 * keyValue;
        if (names is not { FusedByHead: true })
            return Linear(name, rows, columns, biasRequired);
        var order = OrderByKind(rows, headDim);
        var biasName = name.Bias;
        var bias = biasRequired ? RequireVector(biasName, rows) : Vector(biasName, rows);
        return new(NameOf(name), MatrixLoader.Load(reader, checkpoint.Require(name, [rows, columns]), order), bias is null ? null : [.. order.Select(row => bias[row])]) { Order = order };
    }

    /// <param name="isLinear">A layer's weight, which GPT-2 stores transposed, and not an embedding.</param>
    public PackedMatrix Matrix(WeightName name, int rows, int columns, bool isLinear = true) => isLinear && names is { Transposed: true } && name.Layer is not null
        ? MatrixLoader.LoadTransposed(reader, checkpoint.Require(name, [columns, rows]))
        : MatrixLoader.Load(reader, checkpoint.Require(name, [rows, columns]));

    /// <summary>One linear layer per expert.</summary>
    public ImmutableArray<Linear> Experts(WeightName name, int count, int rows, int columns)
    {
        if (names is null)
        {
            var stack = checkpoint.Require(name, [count, rows, columns]);
            return [.. MatrixLoader.LoadStack(reader, stack, count).Select((matrix, expert) => new Linear(name.Gguf, matrix, null, expert))];
        }
        var pattern = NameOf(name);
        return [.. Enumerable.Range(0, count).Select(expert => Numbered(pattern, expert)).Select(own => new Linear(own, MatrixLoader.Load(reader, checkpoint.Require(own, [rows, columns])), null))];
    }

    /// <summary>A vector; null when it is not there.</summary>
    public float[]? Vector(WeightName name, int length) => Has(name) ? RequireVector(name, length) : null;

    public float[] RequireVector(WeightName name, int length) => Read(checkpoint.Require(name, [length]), length);

    /// <summary>The weights of a norm, as they are multiplied.</summary>
    public float[] NormVector(WeightName name, int length)
    {
        var values = RequireVector(name, length);
        foreach (ref var value in values.AsSpan())
            value += names?.NormOffset ?? 0;
        return values;
    }

    /// <summary>(heads, headDim) as one vector, stored as one tensor or as one per head.</summary>
    public float[] HeadVectors(WeightName name, int heads, int headDim)
    {
        if (names is null)
            return Read(checkpoint.Require(name, [heads, headDim]), heads * headDim);
        var pattern = NameOf(name);
        return [.. Enumerable.Range(0, heads).SelectMany(head => Read(checkpoint.Require(Numbered(pattern, head), [headDim]), headDim))];
    }

    public void Dispose() => checkpoint.Dispose();

    /// <summary>Rows (head, kind, dim) in the order (kind, head, dim), kind being query, key and value.</summary>
    private static int[] OrderByKind(int rows, int headDim)
    {
        var order = new int[rows];
        var heads = rows / 3 / headDim;
        for (var row = 0; row < rows; row++)
        {
            var (kind, head, dim) = (row / (heads * headDim), row / headDim % heads, row % headDim);
            order[row] = (head * 3 + kind) * headDim + dim;
        }
        return order;
    }

    private static string Numbered(string pattern, int number) => pattern.Replace("*", number.ToString(), StringComparison.Ordinal);

    private static float[] Read(StoredWeight weight, int length)
    {
        var values = new float[length];
        weight.ReadRows(0, values);
        return values;
    }
}
