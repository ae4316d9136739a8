using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Writes the codes and scales of quantized layers as ggml blocks, where the blocks hold them as they are.</summary>
internal abstract class BlockTranscoder
{
    private const int BlockLength = 32;

    /// <summary>The transcoder to a type; null when there is none.</summary>
    public static BlockTranscoder? To(NumberFormat type) =>
        type == NumberFormats.Q4_0 ? new ToQ4_0()
        : type == NumberFormats.Q8_0 ? new ToQ8_0()
        : type == NumberFormats.Mxfp4 ? new ToMxfp4()
        : null;

    /// <summary>Whether every weight of the layer is the same number afterwards.</summary>
    public abstract bool Accepts(StoredWeight layer);

    /// <summary>Writes the blocks of some rows.</summary>
    public abstract void Write(StoredWeight layer, long firstRow, int rows, Span<byte> blocks);

    /// <summary>Integers of ±<c>reach</c> with FP16 scales of whole blocks.</summary>
    private static bool Fits(StoredWeight layer, int lowest, int highest) => layer is IntegerWeight { GroupOfColumn: null } integers
        && (integers.GroupLength % BlockLength == 0 || integers.Groups == 1)
        && -integers.ZeroPoints.Highest >= lowest && (1 << integers.Bits) - 1 - integers.ZeroPoints.Lowest <= highest
        && integers.HasScalesOf(NumberFormats.Fp16);

    /// <summary>Block after block of FP16 scale and integers.</summary>
    private static void WriteIntegers(IntegerWeight layer, long firstRow, int rows, Span<byte> blocks, int codeBytes, Action<ReadOnlySpan<short>, Span<byte>> write)
    {
        var (columns, groups) = ((int)layer.RowLength, layer.Groups);
        var integers = ArrayPool<short>.Shared.Rent(rows * columns);
        var scales = ArrayPool<float>.Shared.Rent(rows * groups);
        try
        {
            layer.ReadIntegers(firstRow, integers.AsSpan(0, rows * columns), scales.AsSpan(0, rows * groups));
            for (var at = 0; at < rows * columns; at += BlockLength)
            {
                var (row, column) = Math.DivRem(at, columns);
                BinaryPrimitives.WriteUInt16LittleEndian(blocks, Fp16.FromSingle(scales[row * groups + column / layer.GroupLength]));
                write(integers.AsSpan(at, BlockLength), blocks.Slice(sizeof(ushort), codeBytes));
                blocks = blocks[(sizeof(ushort) + codeBytes)..];
            }
        }
        finally
        {
            ArrayPool<short>.Shared.Return(integers);
            ArrayPool<float>.Shared.Return(scales);
        }
    }

    /// <summary>x = (q − 8) · d: integers from −8 to 7.</summary>
    private sealed class ToQ4_0 : BlockTranscoder
    {
        private const int Zero = 8;

        public override bool Accepts(StoredWeight layer) => Fits(layer, -Zero, Zero - 1);

        public override void Write(StoredWeight layer, long firstRow, int rows, Span<byte> blocks) => WriteIntegers((IntegerWeight)layer, firstRow, rows, blocks, BlockLength / 2, (integers, codes) =>
        {
            for (var at = 0; at < codes.Length; at++)
                codes[at] = (byte)(integers[at] + Zero | integers[at + codes.Length] + Zero << 4);
        });
    }

    /// <summary>x = q · d: integers from −128 to 127.</summary>
    private sealed class ToQ8_0 : BlockTranscoder
    {
        public override bool Accepts(StoredWeight layer) => Fits(layer, sbyte.MinValue, sbyte.MaxValue);

        public override void Write(StoredWeight layer, long firstRow, int rows, Span<byte> blocks) => WriteIntegers((IntegerWeight)layer, firstRow, rows, blocks, BlockLength, (integers, codes) =>
        {
            var bytes = MemoryMarshal.Cast<byte, sbyte>(codes);
            for (var at = 0; at < bytes.Length; at++)
                bytes[at] = (sbyte)integers[at];
        });
    }

    /// <summary>The same codes and scale bytes; ggml pairs element j with j + 16 where Hugging Face pairs neighbours.</summary>
    private sealed class ToMxfp4 : BlockTranscoder
    {
        public override bool Accepts(StoredWeight layer) => layer is Fp4Weight { IsNvfp4: false };

        public override void Write(StoredWeight layer, long firstRow, int rows, Span<byte> blocks)
        {
            var count = checked((int)(rows * layer.RowLength));
            var codes = new byte[count];
            var scales = new byte[count / BlockLength];
            ((Fp4Weight)layer).ReadCodes(firstRow, codes, scales);
            for (var block = 0; block < scales.Length; block++)
            {
                var source = codes.AsSpan(block * BlockLength, BlockLength);
                blocks[0] = scales[block];
                for (var at = 0; at < BlockLength / 2; at++)
                    blocks[1 + at] = (byte)(source[at] | source[at + BlockLength / 2] << 4);
                blocks = blocks[(1 + BlockLength / 2)..];
            }
        }
    }
}
