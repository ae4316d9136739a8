using Plimsoll.Runtime.Settings;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Decoders;

/// <summary>Rotary position embedding of positions from 0 on.</summary>
internal sealed class Rotation : IDisposable
{
    private readonly RopeSettings settings;

    /// <summary>(length, dimensions / 2), FP32.</summary>
    private readonly Tensor cosines, sines;

    public Rotation(RopeSettings settings, long length, Device device)
    {
        this.settings = settings;
        var frequencies = settings.Frequencies(checked((int)length));
        var pairs = frequencies.Inverse.Length;
        var (cosine, sine) = (new float[length * pairs], new float[length * pairs]);
        for (var at = 0; at < cosine.Length; at++)
        {
            var (s, c) = Math.SinCos(at / pairs * frequencies.Inverse[at % pairs]);
            (cosine[at], sine[at]) = ((float)(c * frequencies.Magnitude), (float)(s * frequencies.Magnitude));
        }
        cosines = tensor(cosine, [length, pairs], device: device).DetachFromDisposeScope();
        sines = tensor(sine, [length, pairs], device: device).DetachFromDisposeScope();
    }

    /// <param name="heads">(batch, heads, length, head_dim).</param>
    public Tensor Apply(Tensor heads)
    {
        using var scope = NewDisposeScope();
        var (cosine, sine) = (cosines.to(heads.dtype), sines.to(heads.dtype));
        var turned = heads.narrow(-1, 0, settings.Dimensions);
        var half = settings.Dimensions / 2;
        Tensor result;
        if (settings.Pairing == RopePairing.Halves)
        {
            var (x, y) = (turned.narrow(-1, 0, half), turned.narrow(-1, half, half));
            result = cat([x * cosine - y * sine, y * cosine + x * sine], -1);
        }
        else
        {
            var pairs = turned.unflatten(3, half, 2);
            var (x, y) = (pairs.select(-1, 0), pairs.select(-1, 1));
            result = stack([x * cosine - y * sine, y * cosine + x * sine], -1).flatten(3);
        }
        var rest = heads.shape[^1] - settings.Dimensions;
        return (rest == 0 ? result : cat([result, heads.narrow(-1, settings.Dimensions, rest)], -1)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        cosines.Dispose();
        sines.Dispose();
    }
}
