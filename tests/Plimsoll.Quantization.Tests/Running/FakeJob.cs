using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Tests.Running;

/// <summary>Weights from a formula, stored as FP16 after division by the largest magnitude where that is observed first.</summary>
internal sealed class FakeJob(string name, long rows, int rowLength, bool observes = false, int rowAlignment = 1) : WeightJob
{
    private readonly Lock gate = new();
    private float largest = 1;
    private int encodedRows;

    /// <summary>Weights that are not those of the formula, by (row, column).</summary>
    public Dictionary<(long Row, long Column), float> Exceptions { get; } = [];

    /// <summary>Called before rows are read.</summary>
    public Action<long> Reading { get; set; } = _ => { };

    public int EncodedRows => encodedRows;

    public override string Name => name;

    public override ImmutableArray<OutputTensor> Outputs { get; } = [OutputTensor.Create(name, NumberFormats.Fp16, rows, rowLength)];

    public override long Rows => rows;

    public override long RowLength => rowLength;

    public override int RowAlignment => rowAlignment;

    public override bool NeedsObservation => observes;

    public float Weight(long row, long column) => Exceptions.TryGetValue((row, column), out var value) ? value : MathF.Sin(row * 31 + column * 7) * (1 + row % 5);

    /// <summary>The bytes that the job should come to, computed in one go.</summary>
    public byte[] Expected()
    {
        var values = new Half[rows * rowLength];
        var scale = observes ? Enumerable.Range(0, (int)rows).SelectMany(row => Enumerable.Range(0, rowLength).Select(column => MathF.Abs(Weight(row, column)))).Max() : 1;
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < rowLength; column++)
                values[row * rowLength + column] = (Half)(Weight(row, column) / scale);
        }
        return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }

    public override void ReadRows(long firstRow, Span<float> values)
    {
        Reading(firstRow);
        for (var i = 0; i < values.Length; i++)
            values[i] = Weight(firstRow + i / rowLength, i % rowLength);
    }

    public override void Observe(long firstRow, ReadOnlySpan<float> values)
    {
        var most = 0f;
        foreach (var value in values)
            most = MathF.Max(most, MathF.Abs(value));
        lock (gate)
            largest = MathF.Max(largest, most);
    }

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        Assert.Equal(0, firstRow % rowAlignment);
        Interlocked.Add(ref encodedRows, values.Length / rowLength);
        var codes = Codes(firstRow, values.Length, outputs);
        for (var i = 0; i < values.Length; i++)
            codes[i] = (Half)(values[i] / (observes ? largest : 1));
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        var codes = Codes(firstRow, values.Length, outputs);
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)codes[i] * (observes ? largest : 1);
    }

    private Span<Half> Codes(long firstRow, int count, OutputBuffers outputs) => MemoryMarshal.Cast<byte, Half>(outputs.Range(0, firstRow * rowLength * 2, count * 2));
}
