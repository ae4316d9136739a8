namespace Plimsoll.Models.Architectures;

/// <summary>gpt-oss: alternating windows, attention sinks, biases everywhere, experts stacked. Published in MXFP4 with other tensor names; these are the names once unpacked.</summary>
internal static class GptOss
{
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var config = context.Config;
        var facts = context.Facts();
        var experts = new ExpertShape(config.Count("num_local_experts"), config.Count("num_experts_per_tok", "experts_per_token"), facts.FeedForward, SharedWidth: 0);
        var bias = config.Flag("attention_bias", true);
        var window = Windows.Read(config, facts.Layers, layer => layer % 2 == 0);
        return context.Write(facts, new()
        {
            Attention = new() { InputBias = bias, OutputBias = bias },
            Window = window,
            Mixer = layer =>
            {
                layer.Builder.Tensor(layer.Prefix + "self_attn.sinks", TensorRole.Attention, facts.Heads);
                return new(Decoder.Attention(layer));
            },
            LayerFeedForward = layer => Experts(layer, experts),
        });
    }

    private static FeedForwardShape Experts(DecoderLayer layer, ExpertShape experts)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "mlp.");
        builder.Linear(folder + "router", experts.Count, hidden, TensorRole.Router, bias: true);
        builder.ExpertStack(folder + "experts.gate_up_proj", experts, linear: true, hidden, 2L * experts.Width);
        builder.ExpertStack(folder + "experts.gate_up_proj_bias", experts, linear: false, 2L * experts.Width);
        builder.ExpertStack(folder + "experts.down_proj", experts, linear: true, experts.Width, hidden);
        builder.ExpertStack(folder + "experts.down_proj_bias", experts, linear: false, hidden);
        return new(0, Gated: true, experts);
    }
}
