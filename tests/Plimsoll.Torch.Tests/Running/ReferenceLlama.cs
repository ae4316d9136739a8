using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Running;

/// <summary>The demo model written down plainly on libtorch, with one graph, libtorch's AdamW and libtorch's clipping.</summary>
internal sealed class ReferenceLlama(Dictionary<string, Parameter> weights)
{
    private const int Heads = 4, KeyValueHeads = 2, HeadDim = 64, Layers = 3, Vocabulary = 512;

    /// <summary>The losses of steps over these batches.</summary>
    /// <param name="batches">Each (inputs, targets), (rows, length).</param>
    public List<double> Train(IEnumerable<(Tensor Inputs, Tensor Targets)> batches, Func<int, double> rate, double decay, double clip)
    {
        // Vectors are not decayed.
        using var optimizer = optim.AdamW(
        [
            new AdamW.ParamGroup(weights.Values.Where(weight => weight.dim() > 1), new() { weight_decay = decay, beta1 = 0.9, beta2 = 0.999 }),
            new AdamW.ParamGroup(weights.Values.Where(weight => weight.dim() == 1), new() { weight_decay = 0, beta1 = 0.9, beta2 = 0.999 }),
        ]);
        var losses = new List<double>();
        foreach (var (inputs, targets) in batches)
        {
            foreach (var group in optimizer.ParamGroups)
                group.LearningRate = rate(losses.Count);
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(Forward(inputs).view(-1, Vocabulary), targets.flatten());
            loss.backward();
            nn.utils.clip_grad_norm_(weights.Values, clip);
            optimizer.step();
            losses.Add(loss.item<float>());
        }
        return losses;
    }

    private Tensor Forward(Tensor tokens)
    {
        var length = tokens.shape[1];
        var angles = outer(arange(length, float32), pow(10000, arange(0, HeadDim, 2, float32) / -HeadDim));
        var (cosines, sines) = (cat([angles.cos(), angles.cos()], -1), cat([angles.sin(), angles.sin()], -1));
        var x = nn.functional.one_hot(tokens, Vocabulary).to(float32).matmul(weights["model.embed_tokens.weight"]);
        var future = full([length, length], float.NegativeInfinity).triu(1);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            var h = Norm(x, prefix + "input_layernorm");
            var q = Rotate(Split(h, prefix + "self_attn.q_proj", Heads));
            var k = Rotate(Split(h, prefix + "self_attn.k_proj", KeyValueHeads)).repeat_interleave(Heads / KeyValueHeads, 1);
            var v = Split(h, prefix + "self_attn.v_proj", KeyValueHeads).repeat_interleave(Heads / KeyValueHeads, 1);
            var mixed = (q.matmul(k.transpose(2, 3)) / Math.Sqrt(HeadDim) + future).softmax(-1).matmul(v);
            x = x + Linear(mixed.transpose(1, 2).reshape(tokens.shape[0], length, -1), prefix + "self_attn.o_proj");
            h = Norm(x, prefix + "post_attention_layernorm");
            x = x + Linear(nn.functional.silu(Linear(h, prefix + "mlp.gate_proj")) * Linear(h, prefix + "mlp.up_proj"), prefix + "mlp.down_proj");
        }
        return Norm(x, "model.norm").matmul(weights["model.embed_tokens.weight"].t());

        Tensor Split(Tensor h, string name, int heads) => Linear(h, name).view(tokens.shape[0], length, heads, HeadDim).transpose(1, 2);
        Tensor Rotate(Tensor h) => h * cosines + cat([-h.narrow(-1, HeadDim / 2, HeadDim / 2), h.narrow(-1, 0, HeadDim / 2)], -1) * sines;
    }

    private Tensor Linear(Tensor x, string name) => x.matmul(weights[name + ".weight"].t());

    private Tensor Norm(Tensor x, string name) => x / (x.square().mean([-1], keepdim: true) + 1e-5).sqrt() * weights[name + ".weight"];
}
