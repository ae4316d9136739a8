using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Layers;

/// <summary>The activations of one batch, allocated once for the widest layer.</summary>
internal sealed class Workspace
{
    public Workspace(TransformerSettings settings, int batch)
    {
        Batch = batch;
        Hidden = Allocate(settings.HiddenSize);
        Normed = Allocate(settings.HiddenSize);
        Branch = Allocate(settings.HiddenSize);
        Projection = Allocate(settings.Layers.Max(layer => layer.QueryWidth + 2 * layer.KeyValueWidth));
        Attended = Allocate(settings.Layers.Max(layer => layer.QueryWidth));
        Wide = Allocate(settings.Layers.Max(layer => layer.FeedForward) * (settings.Gated ? 2 : 1));

        float[] Allocate(int width) => GC.AllocateUninitializedArray<float>(checked(batch * width));
    }

    public int Batch { get; }

    /// <summary>(batch, hidden), the residual stream.</summary>
    public float[] Hidden { get; }

    public float[] Normed { get; }

    /// <summary>(batch, hidden), what attention or the feed-forward part adds.</summary>
    public float[] Branch { get; }

    /// <summary>Queries, keys and values.</summary>
    public float[] Projection { get; }

    public float[] Attended { get; }

    /// <summary>Up projection and gate.</summary>
    public float[] Wide { get; }

    /// <summary>Values per token of a batch.</summary>
    public static long ValuesPerToken(TransformerSettings settings) => 3L * settings.HiddenSize
        + settings.Layers.Max(layer => 2L * layer.QueryWidth + 2L * layer.KeyValueWidth)
        + settings.Layers.Max(layer => (long)layer.FeedForward) * (settings.Gated ? 2 : 1);
}
