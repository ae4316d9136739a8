using System.Buffers;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Packing;
using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Checkpoints.Data;

/// <summary>bitsandbytes NF4 and FP4: w = quant_map[code] · absmax of its block, blocks counted over the flat weights, the first of two codes in the high nibble.</summary>
/// <remarks>
/// The block scales may be quantized themselves: absmax = nested_quant_map[code] · nested_absmax + nested_offset. Shape, block size and offset are in a
/// JSON text stored as a tensor, <c>quant_state.bitsandbytes__nf4</c>. Source: bitsandbytes functional.py, QuantState.
/// </remarks>
public sealed class BitsAndBytesWeight : StoredWeight
{
    private const int Entries = 16;
    private const int NestedEntries = 256;

    private readonly TensorHeader codes;
    private readonly TensorReader reader;
    private readonly int blockLength;
    private readonly Lazy<float[]> map;
    private readonly Lazy<float[]> absmax;
    private readonly Lazy<DoubleQuantizedScales?> nested;

    /// <exception cref="CheckpointFormatException">The state is not readable, or the tensors do not fit it.</exception>
    internal static BitsAndBytesWeight Open(ParameterStorage storage, TensorReader reader)
    {
        var tensor = storage.Parts.First(part => part.Part.StartsWith("bitsandbytes__", StringComparison.Ordinal)).Header;
        var state = ModelConfig.Parse(tensor.File, SideTensor.Bytes(reader, tensor));
        var shape = state.Integers("shape") ?? throw SideTensor.Bad(tensor, "the key \"shape\"", "no such key");
        if (shape.IsEmpty || shape.Any(size => size <= 0))
            throw SideTensor.Bad(tensor, "positive sizes as \"shape\"", $"[{string.Join(", ", shape)}]");
        if (state.RequireInteger("blocksize") is not (>= 2 and <= 4096 and var block) || block % 2 != 0)
            throw SideTensor.Bad(tensor, "an even \"blocksize\" from 2 to 4096", $"{state.Integer("blocksize")}");
        return new(storage, shape, (int)block, state, reader);
    }

    private BitsAndBytesWeight(ParameterStorage storage, ImmutableArray<long> shape, int blockLength, ModelConfig state, TensorReader reader) : base(storage, shape)
    {
        (this.reader, this.blockLength) = (reader, blockLength);
        codes = storage.Find("")!;
        var (elements, scale) = (checked(Rows * RowLength), storage.Find("absmax")!);
        if (codes.Strides is not null || codes.Bytes != elements / 2 + elements % 2 || scale.Elements != (elements + blockLength - 1) / blockLength || RowLength > Array.MaxLength / 2)
            throw SideTensor.Bad(codes, $"{elements:N0} codes in blocks of {blockLength}", $"{codes.Bytes:N0} bytes and {scale.Elements:N0} block scales");
        map = new(() => ReadTable(storage, "quant_map", Entries));
        nested = new(() => storage.Find("nested_absmax") is { } tensor ? ReadNested(storage, scale, tensor, state) : null);
        absmax = new(() => nested.Value?.Decode() ?? SideTensor.Floats(reader, scale));
    }

    /// <summary>Weights that share an absmax, counted over the flat matrix.</summary>
    public int BlockLength => blockLength;

    /// <summary>The value of each of the 16 codes, relative to absmax.</summary>
    public ReadOnlySpan<float> Table => map.Value;

    /// <summary>The largest magnitude of each block.</summary>
    public ReadOnlySpan<float> Absmax => absmax.Value;

    /// <summary>How the file holds <see cref="Absmax"/> where it is quantized itself; else null.</summary>
    public DoubleQuantizedScales? Nested => nested.Value;

    /// <summary>The codes of rows [<paramref name="firstRow"/>, …), one per byte.</summary>
    /// <param name="unpacked">A whole number of rows.</param>
    /// <exception cref="ArgumentException">The range leaves the parameter.</exception>
    public void ReadCodes(long firstRow, Span<byte> unpacked)
    {
        if (unpacked.Length % RowLength != 0 || firstRow < 0 || firstRow > Rows - unpacked.Length / RowLength)
            throw new ArgumentException($"{unpacked.Length} codes from row {firstRow} on are no rows of '{Name}'", nameof(unpacked));
        ReadCodesAt(firstRow * RowLength, unpacked);
    }

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        const int piece = 1 << 16;
        var unpacked = ArrayPool<byte>.Shared.Rent(Math.Min(piece, values.Length));
        try
        {
            for (var at = firstRow * RowLength; !values.IsEmpty;)
            {
                var count = Math.Min(piece, values.Length);
                ReadCodesAt(at, unpacked.AsSpan(0, count));
                DecodeBlocks(at, unpacked.AsSpan(0, count), values);
                values = values[count..];
                at += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(unpacked);
        }
    }

    /// <param name="first">The flat index of the first code, which may lie in the middle of a byte.</param>
    private void ReadCodesAt(long first, Span<byte> unpacked)
    {
        var skipped = (int)(first % 2);
        var packed = ArrayPool<byte>.Shared.Rent((skipped + unpacked.Length + 1) / 2);
        var pairs = ArrayPool<byte>.Shared.Rent(2 * packed.Length);
        try
        {
            var bytes = packed.AsSpan(0, (skipped + unpacked.Length + 1) / 2);
            reader.Read(codes, first / 2, bytes);
            Nibbles.UnpackHighFirst(bytes, pairs.AsSpan(0, 2 * bytes.Length));
            pairs.AsSpan(skipped, unpacked.Length).CopyTo(unpacked);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
            ArrayPool<byte>.Shared.Return(pairs);
        }
    }

    /// <param name="first">The flat index of the first code, which may lie in the middle of a block.</param>
    private void DecodeBlocks(long first, ReadOnlySpan<byte> codes, Span<float> values)
    {
        while (!codes.IsEmpty)
        {
            var count = (int)Math.Min(codes.Length, blockLength - first % blockLength);
            CodebookQuantizer.Decode(codes[..count], map.Value, absmax.Value[first / blockLength], values);
            codes = codes[count..];
            values = values[count..];
            first += count;
        }
    }

    private DoubleQuantizedScales ReadNested(ParameterStorage storage, TensorHeader scale, TensorHeader nestedAbsmax, ModelConfig state)
    {
        if (scale.Format.BlockBytes != 1)
            throw SideTensor.Bad(scale, "bytes, as there is a nested_absmax", scale.Format.Name);
        if ((state.Integer("nested_blocksize") ?? DoubleQuantizer.BlockLength) != DoubleQuantizer.BlockLength)
            throw SideTensor.Bad(nestedAbsmax, $"nested blocks of {DoubleQuantizer.BlockLength}", $"{state.Integer("nested_blocksize")}");
        return new(SideTensor.Bytes(reader, scale), ReadTable(storage, "nested_quant_map", NestedEntries), SideTensor.Floats(reader, nestedAbsmax), (float)(state.Number("nested_offset") ?? 0));
    }

    private float[] ReadTable(ParameterStorage storage, string part, int entries)
    {
        var tensor = storage.Find(part) ?? throw SideTensor.Bad(storage.Main, $"a table {part} beside the codes", "none");
        var values = SideTensor.Floats(reader, tensor);
        return values.Length == entries ? values : throw SideTensor.Bad(tensor, $"{entries} values", $"{values.Length:N0}");
    }
}

/// <summary>Block scales that are quantized themselves: absmax = map[code] · nested absmax of its <see cref="DoubleQuantizer.BlockLength"/> codes + offset.</summary>
public sealed record DoubleQuantizedScales(byte[] Codes, float[] Map, float[] Absmax, float Offset)
{
    internal float[] Decode()
    {
        var values = new float[Codes.Length];
        DoubleQuantizer.Decode(Codes, Map, Absmax, Offset, values);
        return values;
    }
}
