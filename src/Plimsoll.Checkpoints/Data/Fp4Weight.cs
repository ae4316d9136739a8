using System.Buffers;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Packing;
using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Checkpoints.Data;

/// <summary>MXFP4 and NVFP4 in the Hugging Face layouts: E2M1 codes two to a byte, low nibble first, a scale byte per 32 or 16 of a row, and for NVFP4 a scale per tensor.</summary>
/// <remarks>
/// w = code · scale · tensor scale. compressed-tensors stores the tensor's scale as a divisor (weight_global_scale), ModelOpt as a factor (weight_scale_2).
/// Sources: compressed-tensors fp4 and mxfp4 compressors, ModelOpt export, llama.cpp conversion/gpt_oss.py (blocks and scales of stacked experts).
/// </remarks>
public sealed class Fp4Weight : StoredWeight
{
    private readonly TensorHeader packed;
    private readonly TensorHeader scale;
    private readonly TensorReader reader;
    private readonly Lazy<float[]> tensorScales;

    internal Fp4Weight(ParameterStorage storage, TensorReader reader) : base(storage, Checked(storage))
    {
        this.reader = reader;
        packed = storage.FindAny("weight_packed", "blocks", "")!;
        scale = storage.FindAny("weight_scale", "scales", "scale")!;
        BlockLength = storage.Layout == StorageLayout.Nvfp4 ? MicroScaling.NvBlock : MicroScaling.MxBlock;
        if (packed.Strides is not null || packed.Format.BlockBytes != 1 || scale.Format.BlockBytes != 1 || scale.Strides is not null
            || RowLength % BlockLength != 0 || packed.Elements != checked(Rows * RowLength / 2) || scale.Elements != checked(Rows * RowLength / BlockLength))
            throw SideTensor.Bad(scale, $"a scale byte for each {BlockLength} of {Rows:N0} × {RowLength:N0} weights", $"{scale.Format} [{string.Join(", ", scale.Dimensions)}] and {packed.Format} [{string.Join(", ", packed.Dimensions)}]");
        tensorScales = new(() => ReadTensorScales(storage));
    }

    /// <summary>Weights that share a scale byte: 16 with an E4M3 scale (NVFP4), 32 with a power of two (MXFP4).</summary>
    public int BlockLength { get; }

    public bool IsNvfp4 => BlockLength == MicroScaling.NvBlock;

    /// <summary>The factor of all scales of the matrix that a row belongs to; 1 for MXFP4.</summary>
    public float TensorScale(long row) => tensorScales.Value is [var only] ? only : tensorScales.Value[row / Dimensions[^2]];

    /// <summary>The codes and scale bytes of rows [<paramref name="firstRow"/>, …).</summary>
    /// <param name="codes">(rows, columns), one E2M1 code each.</param>
    /// <param name="scales">(rows, columns / <see cref="BlockLength"/>).</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the range leaves the parameter.</exception>
    public void ReadCodes(long firstRow, Span<byte> codes, Span<byte> scales)
    {
        if (codes.Length % RowLength != 0 || scales.Length != codes.Length / BlockLength || firstRow < 0 || firstRow > Rows - codes.Length / RowLength)
            throw new ArgumentException($"{codes.Length} codes and {scales.Length} scales from row {firstRow} on are no rows of '{Name}'", nameof(codes));
        var bytes = ArrayPool<byte>.Shared.Rent(codes.Length / 2);
        try
        {
            var pairs = bytes.AsSpan(0, codes.Length / 2);
            reader.Read(packed, firstRow * RowLength / 2, pairs);
            Nibbles.UnpackLowFirst(pairs, codes);
            reader.Read(scale, firstRow * RowLength / BlockLength, scales);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        var codes = ArrayPool<byte>.Shared.Rent(values.Length);
        var scales = ArrayPool<byte>.Shared.Rent(values.Length / BlockLength);
        try
        {
            var blocks = scales.AsSpan(0, values.Length / BlockLength);
            ReadCodes(firstRow, codes.AsSpan(0, values.Length), blocks);
            var blocksPerRow = (int)(RowLength / BlockLength);
            for (var block = 0; block < blocks.Length; block++)
            {
                var factor = IsNvfp4 ? MicroScaling.Fp8Scale(blocks[block]) * TensorScale(firstRow + block / blocksPerRow) : MicroScaling.PowerOfTwo(blocks[block]);
                MicroScaling.Decode(codes.AsSpan(block * BlockLength, BlockLength), factor, values.Slice(block * BlockLength, BlockLength));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codes);
            ArrayPool<byte>.Shared.Return(scales);
        }
    }

    private float[] ReadTensorScales(ParameterStorage storage)
    {
        if (!IsNvfp4)
            return [1];
        var isDivisor = storage.Find("weight_global_scale") is not null;
        var tensor = storage.FindAny("weight_global_scale", "weight_scale_2")!;
        var stored = SideTensor.Floats(reader, tensor);
        if (stored.Length != 1 && (Dimensions.Length < 3 || stored.Length != Rows / Dimensions[^2]))
            throw SideTensor.Bad(tensor, "one scale for each matrix", $"{stored.Length:N0}");
        return isDivisor ? Array.ConvertAll(stored, value => 1 / value) : stored;
    }

    private static ImmutableArray<long> Checked(ParameterStorage storage) =>
        storage.Dimensions ?? throw SideTensor.Bad(storage.Main, "FP4 codes with rows", $"[{string.Join(", ", storage.Main.Dimensions)}]");
}
