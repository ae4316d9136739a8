using Plimsoll.Planning.Training;
using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Running;

/// <summary>Forward and backward through a decoder, layer by layer: each layer is a graph of its own, between detached hidden states.</summary>
/// <remarks>
/// The gradient of a layer's output is handed to the layer, which hands the gradient of its input on: the chain rule, cut where activation checkpointing
/// (Chen et al., arXiv 1604.06174) needs it. A layer that is computed again runs without a graph first, and its graph exists only while its own backward pass runs. What is kept
/// and what is computed again are the same numbers.
/// </remarks>
internal sealed class BackwardPass(Decoder decoder, Checkpointing checkpointing, ProcessMeter? meter, Objective? objective = null)
{
    private readonly Objective objective = objective ?? new(decoder);

    /// <summary>Adds the gradients of one micro-batch to those that the weights have.</summary>
    /// <param name="tokens">(batch, length).</param>
    /// <param name="targets">(batch, length).</param>
    /// <param name="scale">What the sum of losses is multiplied by before its gradient is taken.</param>
    /// <returns>The sum of losses over the targets that count, not scaled.</returns>
    public double Run(Tensor tokens, Tensor targets, double scale)
    {
        using var scope = NewDisposeScope();
        meter?.Begin("forward");
        var inputs = new Tensor[decoder.Layers.Length];
        var outputs = new Tensor?[decoder.Layers.Length];
        var hidden = Embed(tokens, graph: false);
        for (var index = 0; index < decoder.Layers.Length; index++)
        {
            inputs[index] = Leaf(hidden);
            // What was computed without a graph is kept as the leaf alone.
            if (index == 0 || IsComputedAgain(index - 1))
                hidden.Dispose();
            hidden = Enter(index, inputs[index]);
            if (!IsComputedAgain(index))
                outputs[index] = hidden;
        }
        var last = Leaf(hidden);
        var loss = objective.Loss(tokens, last, targets);
        var value = loss.item<float>();
        meter?.Begin("backward");
        (loss * scale).backward();
        loss.Dispose();
        var gradient = TakeGradient(last);
        for (var index = decoder.Layers.Length - 1; index >= 0; index--)
            gradient = LeaveLayer(index, inputs[index], outputs[index], gradient);
        if (decoder.Embedding.Learns)
            Embed(tokens, graph: true).backward([gradient]);
        return value;
    }

    private bool IsComputedAgain(int index) => checkpointing switch
    {
        Checkpointing.Full => true,
        Checkpointing.Selective => index % 2 == 0,
        _ => false,
    };

    private Tensor Embed(Tensor tokens, bool graph)
    {
        using var mode = set_grad_enabled(graph);
        return decoder.Embed(tokens);
    }

    private Tensor Enter(int index, Tensor input)
    {
        using var mode = set_grad_enabled(!IsComputedAgain(index));
        return decoder.Layer(index, input);
    }

    /// <summary>From the gradient of a layer's output to that of its input.</summary>
    private Tensor LeaveLayer(int index, Tensor input, Tensor? output, Tensor gradient)
    {
        // Functions of our own leave tensors in the scope that is open when they are called backward.
        using var scope = NewDisposeScope();
        output ??= decoder.Layer(index, input);
        output.backward([gradient]);
        output.Dispose();
        gradient.Dispose();
        return TakeGradient(input).MoveToOuterDisposeScope();
    }

    private static Tensor Leaf(Tensor hidden) => hidden.detach().requires_grad_(true);

    private static Tensor TakeGradient(Tensor leaf)
    {
        var gradient = leaf.grad!;
        leaf.grad = null;
        leaf.Dispose();
        return gradient;
    }
}
