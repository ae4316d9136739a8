using Plimsoll.Numerics.Quantizers;
using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Optimizers;

/// <summary>AdamW whose moments are 8-bit codes of the dynamic maps, with one FP32 scale per 256 (Dettmers 2021, arXiv 2110.02861; bitsandbytes AdamW8bit).</summary>
/// <remarks>Moments of small weights stay in FP32. Large ones are decoded, moved and encoded piece by piece.</remarks>
internal sealed class AdamW8Bit(IEnumerable<Weight> weights, bool masterWeights, double decay, double beta1, double beta2) : Optimizer(weights, masterWeights, decay)
{
    /// <summary>bitsandbytes' min_8bit_size.</summary>
    private const int MinElements = 4096;

    private const int Block = 256;

    /// <summary>Elements whose moments are in FP32 at the same time: a whole number of blocks.</summary>
    private const long Piece = 1 << 20;

    private readonly DynamicCode mean = new(DynamicMap.Signed), square = new(DynamicMap.Unsigned);

    protected override void Update(Slot slot, Tensor value, Tensor gradient, double rate)
    {
        DecayWeight(value, rate);
        if (value.numel() < MinElements)
        {
            AdamW.UpdateMoments(slot, value, gradient, beta1, beta2, out var small, out var smallSquare);
            AdamW.Move(value, small, smallSquare, Steps, rate, beta1, beta2);
            return;
        }
        var blocks = (value.numel() + Block - 1) / Block;
        var (meanCodes, meanScales) = States(slot, "mean", blocks);
        var (squareCodes, squareScales) = States(slot, "square", blocks);
        var (flat, flatGradient) = (value.view(-1), gradient.contiguous().view(-1));
        for (var at = 0L; at < value.numel(); at += Piece)
        {
            using var scope = NewDisposeScope();
            var length = Math.Min(Piece, value.numel() - at);
            var (first, count) = (at / Block, (length + Block - 1) / Block);
            var g = flatGradient.narrow(0, at, length);
            var m = mean.Decode(meanCodes.narrow(0, first, count), meanScales.narrow(0, first, count));
            var v = square.Decode(squareCodes.narrow(0, first, count), squareScales.narrow(0, first, count));
            m.view(-1).narrow(0, 0, length).lerp_(g, 1 - beta1);
            v.view(-1).narrow(0, 0, length).mul_(beta2).addcmul_(g, g, 1 - beta2);
            AdamW.Move(flat.narrow(0, at, length), m.view(-1).narrow(0, 0, length), v.view(-1).narrow(0, 0, length), Steps, rate, beta1, beta2);
            mean.Encode(m, meanCodes.narrow(0, first, count), meanScales.narrow(0, first, count));
            square.Encode(v, squareCodes.narrow(0, first, count), squareScales.narrow(0, first, count));
        }
    }

    public override void Dispose()
    {
        mean.Dispose();
        square.Dispose();
        base.Dispose();
    }

    /// <summary>Codes (blocks, 256) and scales (blocks); a scale of 0 makes every code stand for 0.</summary>
    private static (Tensor Codes, Tensor Scales) States(Slot slot, string name, long blocks) => (
        slot.State(name, () => zeros(blocks, Block, dtype: ScalarType.Byte, device: slot.Weight.Value.device)),
        slot.State(name + "_scale", () => zeros(blocks, device: slot.Weight.Value.device)));

    /// <summary>One of the two maps as tensors.</summary>
    private sealed class DynamicCode : IDisposable
    {
        private readonly Tensor map, midpoints;

        public DynamicCode(ReadOnlySpan<float> values)
        {
            map = tensor(values.ToArray()).DetachFromDisposeScope();
            midpoints = tensor(DynamicMap.Midpoints(values)).DetachFromDisposeScope();
        }

        public Tensor Decode(Tensor codes, Tensor scales)
        {
            using var scope = NewDisposeScope();
            return map.to(codes.device).index_select(0, codes.flatten().to(ScalarType.Int32)).view(codes.shape).mul_(scales.unsqueeze(1)).MoveToOuterDisposeScope();
        }

        /// <summary>Overwrites codes and scales by those of <paramref name="values"/> (blocks, 256).</summary>
        public void Encode(Tensor values, Tensor codes, Tensor scales)
        {
            using var scope = NewDisposeScope();
            scales.copy_(values.abs().amax([1]));
            var relative = values / scales.clamp(min: float.Epsilon).unsqueeze(1);
            codes.copy_(relative.bucketize(midpoints.to(codes.device), true, false));
        }

        public void Dispose()
        {
            map.Dispose();
            midpoints.Dispose();
        }
    }
}
