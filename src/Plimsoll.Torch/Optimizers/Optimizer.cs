using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Optimizers;

/// <summary>Moves weights along their gradients. One weight at a time, so that no more than one is held twice.</summary>
internal abstract class Optimizer : IDisposable
{
    private const string Master = "master";

    private readonly List<Slot> slots;

    /// <param name="weights">Those that learn.</param>
    /// <param name="masterWeights">Whether 16-bit weights are updated as FP32 copies; those that are rounded to a format always are.</param>
    protected Optimizer(IEnumerable<Weight> weights, bool masterWeights, double decay)
    {
        Decay = decay;
        slots = [.. weights.Select(weight => new Slot(weight, masterWeights))];
    }

    /// <summary>Steps taken.</summary>
    public int Steps { get; set; }

    protected double Decay { get; }

    /// <summary>What has to be kept to go on as if nothing had happened, by name.</summary>
    public IEnumerable<(string Name, Tensor Value)> State => slots.SelectMany(slot => slot.States
        .Select(state => ($"{slot.Weight.Name}.{state.Key}", state.Value))
        .Concat(slot.Master is null ? [] : [($"{slot.Weight.Name}.{Master}", slot.Master)]));

    /// <summary>Takes over what another optimizer of the same kind and weights had.</summary>
    /// <param name="states">By the names of <see cref="State"/>; tensors are copied.</param>
    public void Restore(IReadOnlyDictionary<string, Tensor> states)
    {
        using var none = no_grad();
        foreach (var slot in slots)
        {
            var prefix = slot.Weight.Name + ".";
            foreach (var (name, value) in states.Where(state => state.Key.StartsWith(prefix, StringComparison.Ordinal)))
            {
                var part = name[prefix.Length..];
                if (part == Master)
                    slot.Master?.copy_(value);
                else if (!part.Contains('.', StringComparison.Ordinal))
                    slot.State(part, () => empty_like(value, device: slot.Weight.Value.device)).copy_(value);
            }
        }
    }

    /// <summary>The numbers that are updated: those of a weight, or the FP32 ones that it is rounded from.</summary>
    public Tensor ExactOf(Weight weight) => slots.Find(slot => slot.Weight == weight)?.Master ?? weight.Value;

    /// <summary>One step over all weights. Gradients are scaled in place: they are not to be used after it.</summary>
    /// <param name="factor">What gradients are multiplied by before they are used: clipping, and the inverse of a loss scale.</param>
    public void Step(double rate, double factor)
    {
        using var none = no_grad();
        Steps++;
        foreach (var slot in slots)
        {
            using var scope = NewDisposeScope();
            if (slot.Weight.Value.grad is not { } gradient)
                continue;
            var target = slot.Master ?? slot.Weight.Value;
            var wide = gradient.to(target.dtype);
            if (factor != 1)
                wide.mul_(factor);
            Update(slot, target, wide, rate);
            if (slot.Master is not null)
                slot.Weight.Take(slot.Master);
        }
    }

    public virtual void Dispose()
    {
        foreach (var slot in slots)
        {
            slot.Master?.Dispose();
            foreach (var state in slot.States.Values)
                state.Dispose();
        }
    }

    /// <summary>Moves one weight in place.</summary>
    protected abstract void Update(Slot slot, Tensor value, Tensor gradient, double rate);

    /// <summary>w ← w · (1 - rate · decay), for matrices.</summary>
    protected void DecayWeight(Tensor value, double rate)
    {
        if (Decay != 0 && value.dim() >= 2)
            value.mul_(1 - rate * Decay);
    }

    /// <summary>One weight and what the optimizer keeps of it.</summary>
    internal sealed class Slot
    {
        public Slot(Weight weight, bool masterWeights)
        {
            Weight = weight;
            if (weight.Rounding is null && !(masterWeights && weight.Value.dtype is ScalarType.BFloat16 or ScalarType.Float16))
                return;
            Master = weight.Value.detach().to(ScalarType.Float32, copy: true).DetachFromDisposeScope();
            weight.Take(Master);
        }

        public Weight Weight { get; }

        public Tensor? Master { get; }

        public Dictionary<string, Tensor> States { get; } = [];

        /// <summary>A state, made when it is first asked for.</summary>
        public Tensor State(string name, Func<Tensor> create)
        {
            if (!States.TryGetValue(name, out var state))
                States[name] = state = create().DetachFromDisposeScope();
            return state;
        }
    }
}
