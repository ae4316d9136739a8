using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Packing;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>Writes a layer as bitsandbytes stores it: weight (n / 2, 1) U8, the first of two codes in the high nibble, and the state of its quantization.</summary>
/// <remarks>
/// weight.absmax (blocks) F32, or U8 with weight.nested_absmax (⌈blocks / 256⌉) F32 and weight.nested_quant_map (256) F32; weight.quant_map (16) F32;
/// weight.quant_state.bitsandbytes__nf4 U8, a JSON text. Source: bitsandbytes functional.py, QuantState.as_dict. The text holds an offset that is known only
/// at the end, so it is padded with blanks to a fixed length, as JSON allows.
/// </remarks>
internal sealed class BitsAndBytesJob : LayerJob
{
    public const int BlockLength = 64;

    /// <summary>Room for any shape and offset.</summary>
    private const int StateBytes = 256;

    private readonly CodebookQuantizer quantizer;
    private readonly string type;
    private readonly bool isDoubleQuantized;
    private readonly NumberFormat model;
    private readonly long elements;
    private readonly float[] absmax;
    private readonly Lazy<Nested> nested;

    public BitsAndBytesJob(StoredWeight layer, CodebookQuantizer quantizer, string type, bool isDoubleQuantized, NumberFormat model, string typeName) : base(layer, typeName)
    {
        (this.quantizer, this.type, this.isDoubleQuantized, this.model) = (quantizer, type, isDoubleQuantized, model);
        elements = checked(layer.Rows * layer.RowLength);
        absmax = new float[checked((int)((elements + BlockLength - 1) / BlockLength))];
        nested = new(() => new(absmax));
    }

    public override ImmutableArray<OutputTensor> Outputs
    {
        get
        {
            var name = Layer.Name;
            ImmutableArray<OutputTensor> outputs =
            [
                OutputTensor.Create(name, NumberFormats.UInt8, (elements + 1) / 2, 1),
                OutputTensor.Create($"{name}.absmax", isDoubleQuantized ? NumberFormats.UInt8 : NumberFormats.Fp32, absmax.Length),
                OutputTensor.Create($"{name}.quant_map", NumberFormats.Fp32, quantizer.Values.Length),
                OutputTensor.Create($"{name}.quant_state.bitsandbytes__{type}", NumberFormats.UInt8, StateBytes),
            ];
            return !isDoubleQuantized ? outputs : outputs.AddRange(
                OutputTensor.Create($"{name}.nested_absmax", NumberFormats.Fp32, (absmax.Length + DoubleQuantizer.BlockLength - 1) / DoubleQuantizer.BlockLength),
                OutputTensor.Create($"{name}.nested_quant_map", NumberFormats.Fp32, DoubleQuantizer.Map.Length));
        }
    }

    public override string TypeName => base.TypeName;

    /// <summary>Whole blocks, which are counted over the flat weights.</summary>
    public override int RowAlignment => BlockLength / (int)Math.Min(BlockLength, RowLength & -RowLength);

    /// <summary>The block scales can be quantized only when all of them are known.</summary>
    public override bool NeedsObservation => isDoubleQuantized;

    public override void Observe(long firstRow, ReadOnlySpan<float> values)
    {
        for (var block = 0; block * BlockLength < values.Length; block++)
            absmax[FirstBlock(firstRow) + block] = GroupQuantizer.Largest(Block(values, block));
    }

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        Observe(firstRow, values);
        Span<byte> codes = stackalloc byte[BlockLength];
        var packed = Packed(firstRow, values.Length, outputs);
        for (var block = 0; block * BlockLength < values.Length; block++)
        {
            var weights = Block(values, block);
            codes.Clear();
            quantizer.Encode(weights, absmax[FirstBlock(firstRow) + block], codes);
            var pairs = (weights.Length + 1) / 2;
            Nibbles.PackHighFirst(codes[..(2 * pairs)], packed.Slice(block * BlockLength / 2, pairs));
        }
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        Span<byte> codes = stackalloc byte[BlockLength];
        var packed = Packed(firstRow, values.Length, outputs);
        var scales = isDoubleQuantized ? nested.Value.Decoded : absmax;
        for (var block = 0; block * BlockLength < values.Length; block++)
        {
            var weights = values[(block * BlockLength)..Math.Min(values.Length, (block + 1) * BlockLength)];
            var pairs = (weights.Length + 1) / 2;
            Nibbles.UnpackHighFirst(packed.Slice(block * BlockLength / 2, pairs), codes[..(2 * pairs)]);
            quantizer.Decode(codes[..weights.Length], scales[FirstBlock(firstRow) + block], weights);
        }
    }

    public override void Complete(OutputBuffers outputs)
    {
        quantizer.Values.CopyTo(Floats(outputs, 2));
        if (isDoubleQuantized)
        {
            nested.Value.Codes.CopyTo(outputs.Range(1, 0, absmax.Length));
            nested.Value.Scales.CopyTo(Floats(outputs, 4));
            DoubleQuantizer.Map.CopyTo(Floats(outputs, 5));
        }
        else
        {
            absmax.CopyTo(Floats(outputs, 1));
        }
        var state = outputs.Range(3, 0, StateBytes);
        state.Fill((byte)' ');
        State().CopyTo(state);
    }

    private byte[] State()
    {
        var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("quant_type", type);
            json.WriteNumber("blocksize", BlockLength);
            json.WriteString("dtype", model == NumberFormats.Fp16 ? "float16" : model == NumberFormats.Fp32 ? "float32" : "bfloat16");
            json.WriteStartArray("shape");
            foreach (var size in Layer.Dimensions)
                json.WriteNumberValue(size);
            json.WriteEndArray();
            if (isDoubleQuantized)
            {
                json.WriteNumber("nested_blocksize", DoubleQuantizer.BlockLength);
                json.WriteString("nested_dtype", "float32");
                json.WriteNumber("nested_offset", nested.Value.Offset);
            }
            json.WriteEndObject();
        }
        return text.ToArray();
    }

    private int FirstBlock(long firstRow) => (int)(firstRow * RowLength / BlockLength);

    private static ReadOnlySpan<float> Block(ReadOnlySpan<float> values, int block) => values[(block * BlockLength)..Math.Min(values.Length, (block + 1) * BlockLength)];

    private Span<byte> Packed(long firstRow, int count, OutputBuffers outputs) => outputs.Range(0, firstRow * RowLength / 2, (count + 1) / 2);

    private Span<float> Floats(OutputBuffers outputs, int output) => MemoryMarshal.Cast<byte, float>(outputs.Range(output, 0, (int)Outputs[output].Bytes));

    /// <summary>The block scales, quantized.</summary>
    private sealed class Nested
    {
        public Nested(float[] absmax)
        {
            Codes = new byte[absmax.Length];
            Scales = new float[(absmax.Length + DoubleQuantizer.BlockLength - 1) / DoubleQuantizer.BlockLength];
            Decoded = new float[absmax.Length];
            Offset = DoubleQuantizer.Encode(absmax, Codes, Scales);
            DoubleQuantizer.Decode(Codes, DoubleQuantizer.Map, Scales, Offset, Decoded);
        }

        public byte[] Codes { get; }

        public float[] Scales { get; }

        public float Offset { get; }

        /// <summary>What the codes stand for.</summary>
        public float[] Decoded { get; }
    }
}
