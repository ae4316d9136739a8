using System.Runtime.InteropServices;

namespace Plimsoll.Testing.Peers;

/// <summary>The quantizers of ggml, llama.cpp's tensor library, by P/Invoke: what our blocks are compared with.</summary>
/// <remarks>Signatures: ggml.h of llama.cpp v0.5.0. Type ids are those of GGUF files (<c>NumberFormat.GgmlType</c>).</remarks>
public sealed unsafe class Ggml
{
    private static readonly Lazy<Ggml> Loaded = new(() => new(LlamaCppPeer.Require()));

    private readonly delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint> quantizeChunk;
    private readonly delegate* unmanaged<int, TypeTraits*> typeTraits;
    private readonly delegate* unmanaged<int, byte> requiresImportance;

    private Ggml(string folder)
    {
        var library = NativeLibrary.Load(Path.Combine(folder, "libggml-base.so"));
        quantizeChunk = (delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint>)NativeLibrary.GetExport(library, "ggml_quantize_chunk");
        typeTraits = (delegate* unmanaged<int, TypeTraits*>)NativeLibrary.GetExport(library, "ggml_get_type_traits");
        requiresImportance = (delegate* unmanaged<int, byte>)NativeLibrary.GetExport(library, "ggml_quantize_requires_imatrix");
    }

    /// <summary>The library; skips the running test where it cannot be had.</summary>
    public static Ggml Require()
    {
        _ = LlamaCppPeer.Require();
        return Loaded.Value;
    }

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
