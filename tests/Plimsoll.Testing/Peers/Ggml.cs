using System.Runtime.InteropServices;

namespace Plimsoll.Testing.Peers;

/// <summary>The quantizers of ggml, llama.cpp's tensor library, by P/Invoke: what our blocks are compared with.</summary>
/// <remarks>Signatures: ggml.h of llama.cpp v0.5.0. Type ids are those of GGUF files (<c>NumberFormat.GgmlType</c>).</remarks>
public sealed unsafe class Ggml
{
    private static readonly Lazy<Ggml> Loaded = new(() => Load(LlamaCppPeer.Require()));

    private readonly delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint> quantizeChunk;
    private readonly delegate* unmanaged<int, TypeTraits*> typeTraits;
    private readonly delegate* unmanaged<int, byte> requiresImportance;
    private readonly delegate* unmanaged<float*, ushort*, long, void> toFp16;
    private readonly delegate* unmanaged<ushort*, float*, long, void> fromFp16;
    private readonly delegate* unmanaged<float*, ushort*, long, void> toBf16;
    private readonly delegate* unmanaged<ushort*, float*, long, void> fromBf16;

    private Ggml(string folder)
    {
        var library = NativeLibrary.Load(Path.Combine(folder, "libggml-base.so"));
        quantizeChunk = (delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint>)NativeLibrary.GetExport(library, "ggml_quantize_chunk");
        typeTraits = (delegate* unmanaged<int, TypeTraits*>)NativeLibrary.GetExport(library, "ggml_get_type_traits");
        requiresImportance = (delegate* unmanaged<int, byte>)NativeLibrary.GetExport(library, "ggml_quantize_requires_imatrix");
        toFp16 = (delegate* unmanaged<float*, ushort*, long, void>)NativeLibrary.GetExport(library, "ggml_fp32_to_fp16_row");
        fromFp16 = (delegate* unmanaged<ushort*, float*, long, void>)NativeLibrary.GetExport(library, "ggml_fp16_to_fp32_row");
        toBf16 = (delegate* unmanaged<float*, ushort*, long, void>)NativeLibrary.GetExport(library, "ggml_fp32_to_bf16_row_ref");
        fromBf16 = (delegate* unmanaged<ushort*, float*, long, void>)NativeLibrary.GetExport(library, "ggml_bf16_to_fp32_row");
    }

    /// <summary>The library; skips the running test where it cannot be had.</summary>
    public static Ggml Require()
    {
        _ = LlamaCppPeer.Require();
        return Loaded.Value;
    }

    /// <summary>The library in a folder.</summary>
    /// <exception cref="DllNotFoundException">There is no <c>libggml-base.so</c>.</exception>
    public static Ggml Load(string folder) => new(folder);

    /// <summary>Whether the type can only be encoded with importances.</summary>
    public bool RequiresImportance(int type) => requiresImportance(type) != 0;

    /// <summary>Elements and bytes of a block.</summary>
    public (int Length, int Bytes) Block(int type) => ((int)typeTraits(type)->BlockLength, (int)typeTraits(type)->TypeSize);

    /// <summary><c>ggml_quantize_chunk</c>: whole rows to blocks.</summary>
    /// <param name="values">(rows, rowLength).</param>
    /// <param name="importance">(rowLength); empty for none.</param>
    /// <param name="blocks">Receives the blocks of all rows.</param>
    public void Quantize(int type, ReadOnlySpan<float> values, int rowLength, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        fixed (float* source = values, weights = importance)
        fixed (byte* target = blocks)
        {
            var written = quantizeChunk(type, source, target, 0, values.Length / rowLength, rowLength, importance.IsEmpty ? null : weights);
            if (written != (nuint)blocks.Length)
                throw new InvalidOperationException($"ggml wrote {written} bytes of type {type}, expected {blocks.Length}");
        }
    }

    /// <summary>The <c>to_float</c> of a type: blocks to floats.</summary>
    public void Dequantize(int type, ReadOnlySpan<byte> blocks, Span<float> values)
    {
        fixed (byte* source = blocks)
        fixed (float* target = values)
            typeTraits(type)->ToFloat(source, target, values.Length);
    }

    /// <summary><c>ggml_fp32_to_fp16_row</c>.</summary>
    public void ToFp16(ReadOnlySpan<float> values, Span<ushort> codes) => Convert(toFp16, values, codes);

    /// <summary><c>ggml_fp16_to_fp32_row</c>.</summary>
    public void FromFp16(ReadOnlySpan<ushort> codes, Span<float> values) => Convert(fromFp16, codes, values);

    /// <summary><c>ggml_fp32_to_bf16_row_ref</c>.</summary>
    public void ToBf16(ReadOnlySpan<float> values, Span<ushort> codes) => Convert(toBf16, values, codes);

    /// <summary><c>ggml_bf16_to_fp32_row</c>.</summary>
    public void FromBf16(ReadOnlySpan<ushort> codes, Span<float> values) => Convert(fromBf16, codes, values);

    private static void Convert<TSource, TTarget>(delegate* unmanaged<TSource*, TTarget*, long, void> row, ReadOnlySpan<TSource> source, Span<TTarget> target)
        where TSource : unmanaged
        where TTarget : unmanaged
    {
        fixed (TSource* from = source)
        fixed (TTarget* to = target)
            row(from, to, source.Length);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TypeTraits
    {
        public byte* Name;
        public long BlockLength;
        public long BlockLengthInterleave;
        public nuint TypeSize;
        public byte IsQuantized;
        public delegate* unmanaged<void*, float*, long, void> ToFloat;
        public delegate* unmanaged<float*, void*, long, void> FromFloatReference;
    }
}
