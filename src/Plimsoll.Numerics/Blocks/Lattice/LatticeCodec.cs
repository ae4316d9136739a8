using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>A format of lattice points and signs: IQ2 and IQ3. A super-block of 256 weights has an FP16 scale, each sub-block a 4-bit scale under it.</summary>
/// <remarks>The two kinds of <see cref="BlockSearch"/> are the same here, but for a fault of ggml's IQ3_S that only the exact one repeats.</remarks>
internal abstract unsafe class LatticeCodec<T, TCells>(string name, LatticeRules rules) : BlockCodec, ISignedCodes
    where T : unmanaged, ICodeLanes<T>
    where TCells : ILatticeCells
{
    private const int Length = SuperBlock.Length;
    private const int HighestScale = 15;

    /// <summary>Weights of a scale of <see cref="ISignedCodes"/>.</summary>
    private const int ScaledLength = 16;

    private readonly int subBlocks = Length / rules.SubLength;
    private readonly Lazy<Lattice> lattice = new(rules.Lattice);

    public sealed override NumberFormat Format { get; } = NumberFormats.Find(name)!;

    /// <summary>Writes indices of points, signs by eight weights and scale codes behind the super-block's scale.</summary>
    protected abstract void Pack(ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> signs, ReadOnlySpan<byte> scales, Span<byte> block);

    /// <summary>The inverse of <see cref="Pack"/>.</summary>
    protected abstract void Unpack(ReadOnlySpan<byte> block, Span<ushort> indices, Span<byte> signs, Span<byte> scales);

    /// <summary>What ggml does otherwise than the layout says where sub-blocks count as zero.</summary>
    /// <param name="flat">Those sub-blocks, a bit each.</param>
    protected virtual void RepeatFault(uint flat, Span<byte> block)
    {
    }

    /// <summary>What <see cref="TryStart"/> needs and is better done for all sub-blocks at once.</summary>
    protected virtual void Prepare(SuperBlock* block)
    {
    }

    /// <summary>The scale that the search of a sub-block begins with; false for a sub-block that counts as zero.</summary>
    /// <param name="magnitude">The largest magnitude of the sub-block.</param>
    /// <param name="largest">Receives the magnitude that the highest level stands for.</param>
    protected virtual bool TryStart(SuperBlock* block, int first, float magnitude, out float scale, out float largest)
    {
        (scale, largest) = (magnitude / (2 * TCells.HighestLevel + 1), magnitude);
        return true;
    }

    [SkipLocalsInit]
    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        SuperBlock work;
        LatticeSearch<T, TCells>.Memory memory;
        var lattice = this.lattice.Value;
        fixed (float* weights = importance)
        fixed (float* source = values)
        {
            for (var start = 0; start < values.Length; start += Length, blocks = blocks[Format.BlockBytes..])
            {
                (&work)->Fill<T>(source + start, weights == null ? null : weights + start % rowLength, rules);
                Prepare(&work);
                for (var first = 0; first < Length; first += rules.SubLength)
                    (&work)->Scales[first / rules.SubLength] = EncodeSubBlock(&work, first, lattice, &memory);
                Write(&work, lattice, blocks[..Format.BlockBytes]);
                if (work.Flat != 0 && search == BlockSearch.Exact)
                    RepeatFault(work.Flat, blocks[sizeof(ushort)..Format.BlockBytes]);
            }
        }
    }

    private float EncodeSubBlock(SuperBlock* work, int first, Lattice lattice, LatticeSearch<T, TCells>.Memory* memory)
    {
        var magnitude = *(T*)(work->X + first);
        for (var i = T.Count; i < rules.SubLength; i += T.Count)
            magnitude = T.Max(magnitude, *(T*)(work->X + first + i));
        if (T.Largest(magnitude) < rules.SmallestMagnitude || !TryStart(work, first, T.Largest(magnitude), out var scale, out var largest))
        {
            work->Flat |= 1u << first / rules.SubLength;
            new Span<ushort>(work->Codes + first / TCells.Dimensions, rules.SubLength / TCells.Dimensions).Clear();
            new Span<byte>(work->Signs + first / 8, rules.SubLength / 8).Clear();
            return 0;
        }
        scale = LatticeSearch<T, TCells>.Run(work, first, lattice, rules, largest, scale, memory);
        if (scale >= 0)
            return scale;
        for (var group = first / 8; group < (first + rules.SubLength) / 8; group++)
            work->Signs[group] = (byte)~work->Signs[group];
        return -scale;
    }

    private void Write(SuperBlock* work, Lattice lattice, Span<byte> block)
    {
        Span<ushort> indices = stackalloc ushort[Length / TCells.Dimensions];
        Span<byte> scales = stackalloc byte[subBlocks];
        var largest = 0f;
        for (var j = 0; j < subBlocks; j++)
            largest = Math.Max(largest, work->Scales[j]);
        block.Clear();
        if (largest == 0 && rules.ClearsFlat)
            return;
        for (var i = 0; i < indices.Length; i++)
            indices[i] = (ushort)lattice.IndexOf[work->Codes[i]];
        scales.Clear();
        if (largest != 0)
        {
            var scale = largest / (2 * HighestScale + 1);
            BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(scale * rules.ScaleFactor));
            for (var j = 0; j < subBlocks; j++)
                scales[j] = (byte)Math.Clamp(Rounding.NearestInt(0.5f * (1 / scale * work->Scales[j] - 1)), 0, HighestScale);
        }
        Pack(indices, new(work->Signs, Length / 8), scales, block[sizeof(ushort)..]);
    }

    [SkipLocalsInit]
    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<ulong> codes = stackalloc ulong[Length / 8];
        Span<float> scales = stackalloc float[Length / ScaledLength];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
        {
            Read(blocks[..Format.BlockBytes], codes, scales);
            for (var j = 0; j < scales.Length; j++)
                SignedBytes.Scale<T>(MemoryMarshal.Cast<ulong, sbyte>(codes).Slice(j * ScaledLength, ScaledLength), scales[j], 0, values.Slice(j * ScaledLength, ScaledLength));
        }
    }

    [SkipLocalsInit]
    public void Read(ReadOnlySpan<byte> block, Span<ulong> codes, Span<float> scales)
    {
        Span<ushort> indices = stackalloc ushort[Length / TCells.Dimensions];
        Span<byte> signs = stackalloc byte[Length / 8];
        Span<byte> scaleCodes = stackalloc byte[subBlocks];
        var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block));
        Unpack(block[sizeof(ushort)..Format.BlockBytes], indices, signs, scaleCodes);
        if (TCells.Dimensions == 8)
        {
            var points = MemoryMarshal.Cast<sbyte, ulong>(lattice.Value.Values);
            for (var i = 0; i < signs.Length; i++)
                codes[i] = SignBits.Apply(points[indices[i]], signs[i]);
        }
        else
        {
            var points = MemoryMarshal.Cast<sbyte, uint>(lattice.Value.Values);
            for (var i = 0; i < signs.Length; i++)
                codes[i] = SignBits.Apply(points[indices[2 * i]] | (ulong)points[indices[2 * i + 1]] << 32, signs[i]);
        }
        for (var j = 0; j < scales.Length; j++)
            scales[j] = scale * (0.5f + scaleCodes[j * ScaledLength / rules.SubLength]) * rules.ScaleStep;
    }
}
