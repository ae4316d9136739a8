using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Packing;
using Plimsoll.Numerics.Quantizers;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Adapters;

/// <summary>A matrix in NF4 with double quantization, as bitsandbytes packs it: 4-bit codes, an 8-bit scale per 64, an FP32 scale per 256 of those, one offset.</summary>
internal sealed class Nf4Matrix : IDisposable
{
    private const int BlockLength = 64;

    private readonly long rows, columns;

    /// <summary>Two codes a byte, the first in the high nibble.</summary>
    private readonly Tensor codes;

    /// <summary>(blocks) codes of the dynamic map, (⌈blocks / 256⌉) FP32.</summary>
    private readonly Tensor scaleCodes, nestedScales;

    private readonly float offset;

    /// <summary>(256, 2): the two values of a byte; (256): the dynamic map.</summary>
    private readonly Tensor pairs, map;

    /// <param name="values">(rows, columns), FP32, on the CPU.</param>
    public Nf4Matrix(Tensor values, Device device)
    {
        (rows, columns) = (values.shape[0], values.shape[1]);
        var flat = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(values.contiguous().bytes);
        // Straight into libtorch's memory: large managed arrays would stay as garbage beside the model.
        var written = empty((flat.Length + 1) / 2, dtype: ScalarType.Byte);
        var packed = written.bytes;
        var absmax = new float[(flat.Length + BlockLength - 1) / BlockLength];
        Span<byte> block = stackalloc byte[BlockLength];
        for (var at = 0; at < absmax.Length; at++)
        {
            var weights = flat[(at * BlockLength)..Math.Min(flat.Length, (at + 1) * BlockLength)];
            absmax[at] = GroupQuantizer.Largest(weights);
            block.Clear();
            CodebookQuantizer.Nf4.Encode(weights, absmax[at], block);
            var bytes = (weights.Length + 1) / 2;
            Nibbles.PackHighFirst(block[..(2 * bytes)], packed.Slice(at * BlockLength / 2, bytes));
        }
        var (quantized, nested) = (new byte[absmax.Length], new float[(absmax.Length + DoubleQuantizer.BlockLength - 1) / DoubleQuantizer.BlockLength]);
        offset = DoubleQuantizer.Encode(absmax, quantized, nested);
        codes = written.to(device).DetachFromDisposeScope();
        scaleCodes = Own(quantized, device);
        nestedScales = tensor(nested, device: device).DetachFromDisposeScope();
        map = tensor(DoubleQuantizer.Map.ToArray(), device: device).DetachFromDisposeScope();
        var both = Enumerable.Range(0, 256).SelectMany(code => (float[])[Codebook.Nf4.Values[code >> 4], Codebook.Nf4.Values[code & 15]]).ToArray();
        pairs = tensor(both, [256, 2], device: device).DetachFromDisposeScope();
    }

    /// <summary>Bytes that it takes, the tables left out.</summary>
    public long Bytes => codes.numel() + scaleCodes.numel() + 4 * nestedScales.numel();

    public long Elements => rows * columns;

    /// <summary>The weights (rows, columns).</summary>
    public Tensor Decode(ScalarType type)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        var nested = nestedScales.unsqueeze(1).expand(-1, DoubleQuantizer.BlockLength).reshape(-1).narrow(0, 0, scaleCodes.shape[0]);
        var scales = map.index_select(0, scaleCodes.to(ScalarType.Int32)).mul_(nested).add_(offset);
        var values = pairs.index_select(0, codes.to(ScalarType.Int32)).view(-1);
        // The last block may be short.
        var whole = values.shape[0] / BlockLength * BlockLength;
        values.narrow(0, 0, whole).view(-1, BlockLength).mul_(scales.narrow(0, 0, whole / BlockLength).unsqueeze(1));
        if (whole < values.shape[0])
            values.narrow(0, whole, values.shape[0] - whole).mul_(scales[^1]);
        return values.narrow(0, 0, Elements).view(rows, columns).to(type).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var part in (Tensor[])[codes, scaleCodes, nestedScales, pairs, map])
            part.Dispose();
    }

    private static Tensor Own(byte[] bytes, Device device) => tensor(bytes, device: device).DetachFromDisposeScope();
}
