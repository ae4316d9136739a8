using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Runtime.Layers;

/// <summary>The feed-forward part of a layer, dense or a mixture of experts.</summary>
internal sealed class FeedForward
{
    /// <summary>Values of element-wise work that a thread takes at once.</summary>
    private const int Grain = 4096;

    private readonly TransformerSettings settings;
    private readonly Workspace space;
    private readonly ComputePool pool;
    private readonly ExpertRouting? routing;
    private readonly Action<int, int> activate;

    private int width;
    private int gateOffset;
    private bool fusedGate;

    public FeedForward(TransformerSettings settings, Workspace space, ComputePool pool)
    {
        (this.settings, this.space, this.pool) = (settings, space, pool);
        activate = Activate;
        var experts = settings.Layers.Max(layer => layer.Experts?.Count ?? 0);
        if (experts > 0)
            routing = new(experts, settings.Layers.Max(layer => layer.Experts?.Used ?? 0), settings.HiddenSize, space.Batch);
    }

    /// <param name="inputs">(count, hidden).</param>
    /// <param name="outputs">(count, hidden); overwritten.</param>
    public void Run(LayerSettings layer, LayerWeights weights, Span<float> inputs, int count, Span<float> outputs, IInputObserver? observer)
    {
        if (layer.Experts is not { } experts)
        {
            RunDense(weights.FeedForward!, inputs, count, outputs, observer);
            return;
        }
        weights.Experts!.Router.Apply(inputs, count, routing!.Logits, pool, observer);
        routing.Choose(experts, count);
        outputs[..inputs.Length].Clear();
        for (var expert = 0; expert < experts.Count; expert++)
        {
            var visits = routing.Gather(expert, inputs);
            if (visits == 0)
                continue;
            RunDense(weights.Experts.Each[expert], routing.Inputs, visits, routing.Outputs, observer);
            routing.Scatter(visits, outputs);
        }
    }

    private void RunDense(FeedForwardWeights weights, ReadOnlySpan<float> inputs, int count, Span<float> outputs, IInputObserver? observer)
    {
        fusedGate = settings.Gated && weights.Gate is null;
        width = weights.Down.Columns;
        weights.Up.Apply(inputs, count, space.Wide, pool, observer);
        gateOffset = count * width;
        weights.Gate?.Apply(inputs, count, space.Wide.AsSpan(gateOffset), pool, observer);
        if (fusedGate)
            ActivateFused(count);
        else
            pool.For(count * width, Grain, activate);
        weights.Down.Apply(space.Wide, count, outputs, pool, observer);
    }

    private void Activate(int from, int to)
    {
        var up = space.Wide.AsSpan(from, to - from);
        if (settings.Gated)
            Activations.ApplyGate(settings.Activation, space.Wide.AsSpan(gateOffset + from, to - from), up);
        else
            Activations.Apply(settings.Activation, up);
    }

    /// <summary>Rows (gate, up) become rows of their product, packed together: row r is read from 2 r on and written at r.</summary>
    private void ActivateFused(int count)
    {
        for (var token = 0; token < count; token++)
        {
            var row = space.Wide.AsSpan(2 * token * width, 2 * width);
            Activations.ApplyGate(settings.Activation, row[..width], row[width..]);
            row[width..].CopyTo(space.Wide.AsSpan(token * width, width));
        }
    }
}
