using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Plimsoll.Numerics.Linear.Integers;

namespace Plimsoll.Numerics.Linear.Floats;

/// <summary>Codes with a scale in FP32 per block, unpacked to floats.</summary>
/// <remarks>A chunk begins with the header bytes of its blocks, each byte of 16 rows side by side; then come its codes, (columns, 16) bytes, or nibbles of two columns.</remarks>
internal abstract unsafe class RowPanels(RowFormat rows) : FloatPanels(rows.Block)
{
    private readonly int headerBytes = rows.HeaderBytes;
    private readonly int columnsPerByte = 8 / rows.CodeBits;

    [SkipLocalsInit]
    public sealed override void Pack(byte* rows, long stride, int columns, byte* chunk)
    {
        var (blocks, bytes) = (columns / Format.BlockLength, Format.BlockBytes - headerBytes);
        var codes = chunk + blocks * headerBytes * Panel.Rows;
        for (var row = 0; row < Panel.Rows; row++)
        {
            for (var block = 0; block < blocks; block++)
            {
                var stored = rows + row * stride + (long)block * Format.BlockBytes;
                for (var at = 0; at < headerBytes; at++)
                    chunk[(block * headerBytes + at) * Panel.Rows + row] = stored[at];
                for (var at = 0; at < bytes; at++)
                    codes[(block * bytes + at) * Panel.Rows + row] = stored[headerBytes + at];
            }
        }
    }

    [SkipLocalsInit]
    public sealed override void Unpack(byte* chunk, int columns, float* tile)
    {
        var scales = stackalloc float[Panel.Rows * Panel.ChunkColumns / RowFormat.ShortestBlock];
        var blocks = columns / Format.BlockLength;
        var scaled = UnpackScales(chunk, blocks, scales);
        var codes = chunk + blocks * headerBytes * Panel.Rows;
        for (var first = 0; first < columns; first += scaled, scales += Panel.Rows)
            UnpackCodes(codes + first / columnsPerByte * Panel.Rows, scaled, scales, tile + first * Panel.Rows);
    }

    /// <summary>Scales as floats, (…, 16).</summary>
    /// <param name="bytes">The headers of the blocks, (blocks, bytes, 16).</param>
    /// <returns>Columns that share one.</returns>
    protected virtual int UnpackScales(byte* bytes, int blocks, float* scales)
    {
        for (var block = 0; block < blocks; block++)
            RowScales.Singles(bytes + block * headerBytes * Panel.Rows, sizeof(float), scales + block * Panel.Rows);
        return Format.BlockLength;
    }

    /// <summary>The values of columns that share a scale.</summary>
    /// <param name="scale">(16).</param>
    /// <param name="tile">(columns, 16).</param>
    protected abstract void UnpackCodes(byte* codes, int columns, float* scale, float* tile);
}

/// <summary>FP8: value = scale · E4M3.</summary>
internal sealed unsafe class Fp8RowPanels(Fp8RowFormat rows) : RowPanels(rows)
{
    private const float Rebias = 1.329227995784916e36f; // 2^120

    /// <summary>Exponent and mantissa at the place of FP32's are the number times 2^-120, subnormal ones included. All ones is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackCodes(byte* codes, int columns, float* scale, float* tile)
    {
        if (Avx512F.IsSupported)
        {
            var factors = Vector512.Load(scale);
            for (var k = 0; k < columns; k++, codes += Panel.Rows, tile += Panel.Rows)
            {
                var code = Avx512F.ConvertToVector512Int32(Vector128.Load(codes));
                var magnitude = code & Vector512.Create(0x7F);
                var number = (Vector512.ShiftLeft(magnitude, 20) | Vector512.ShiftLeft(code ^ magnitude, 24)).AsSingle() * Vector512.Create(Rebias);
                number = Vector512.ConditionalSelect(Vector512.Equals(magnitude, Vector512.Create(0x7F)).AsSingle(), Vector512.Create(float.NaN), number);
                (number * factors).Store(tile);
            }
            return;
        }
        for (var row = 0; row < Panel.Rows; row += 8)
        {
            var factors = Vector256.Load(scale + row);
            for (var k = 0; k < columns; k++)
            {
                var code = RowScales.Widen(codes + k * Panel.Rows + row);
                var magnitude = code & Vector256.Create(0x7F);
                var number = (Vector256.ShiftLeft(magnitude, 20) | Vector256.ShiftLeft(code ^ magnitude, 24)).AsSingle() * Vector256.Create(Rebias);
                number = Vector256.ConditionalSelect(Vector256.Equals(magnitude, Vector256.Create(0x7F)).AsSingle(), Vector256.Create(float.NaN), number);
                (number * factors).Store(tile + k * Panel.Rows + row);
            }
        }
    }
}

/// <summary>NF4 and FP4 of bitsandbytes: value = table[code] · absmax.</summary>
internal sealed unsafe class CodebookRowPanels(CodebookRowFormat rows) : RowPanels(rows)
{
    private readonly float[] table = [.. rows.Table];
    private readonly float[]? map = rows.Nested?.Map.ToArray();
    private readonly float offset = rows.Nested?.Offset ?? 0;
    private readonly int scaledLength = rows.ScaledLength;

    protected override int UnpackScales(byte* bytes, int blocks, float* scales)
    {
        if (map is null)
            return base.UnpackScales(bytes, blocks, scales);
        var perBlock = Format.BlockLength / scaledLength;
        var nested = stackalloc float[Panel.Rows];
        for (var block = 0; block < blocks; block++, bytes += perBlock * Panel.Rows)
        {
            RowScales.Singles(bytes, sizeof(float), nested);
            bytes += sizeof(float) * Panel.Rows;
            for (var at = 0; at < perBlock * Panel.Rows; at++)
                *scales++ = map[bytes[at]] * nested[at % Panel.Rows] + offset;
        }
        return scaledLength;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackCodes(byte* codes, int columns, float* scale, float* tile)
    {
        if (Avx512F.IsSupported)
        {
            var (values, factor) = (Vector512.Create(table), Vector512.Load(scale));
            for (var k = 0; k < columns; k += 2, codes += Panel.Rows, tile += 2 * Panel.Rows)
            {
                // A permutation looks at the lower four bits of each lane.
                var pair = Avx512F.ConvertToVector512Int32(Vector128.Load(codes));
                (Avx512F.PermuteVar16x32(values, pair) * factor).Store(tile);
                (Avx512F.PermuteVar16x32(values, Vector512.ShiftRightLogical(pair, 4)) * factor).Store(tile + Panel.Rows);
            }
            return;
        }
        for (var k = 0; k < columns; k += 2, codes += Panel.Rows, tile += 2 * Panel.Rows)
        {
            for (var row = 0; row < Panel.Rows; row++)
            {
                tile[row] = table[codes[row] & 15] * scale[row];
                tile[Panel.Rows + row] = table[codes[row] >> 4] * scale[row];
            }
        }
    }
}
