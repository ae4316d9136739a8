using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Qwen3-Next, Qwen3.5 and 3.6: three gated-delta layers, then one of gated attention.</summary>
internal static class QwenHybrid
{
    private static readonly ExpertStyle SeparateExperts = new() { Shared = "mlp.shared_expert.", SharedGate = "mlp.shared_expert_gate" };

    public static DecoderFacts WriteNext(ArchitectureContext context) => Write(context, stackedExperts: false, fusedInputs: true);

    public static DecoderFacts WriteQwen35(ArchitectureContext context) => Write(context, stackedExperts: true, fusedInputs: false);

    private static DecoderFacts Write(ArchitectureContext context, bool stackedExperts, bool fusedInputs)
    {
        var config = context.Config;
        var facts = context.Facts();
        var delta = DeltaSizes.Read(config);
        var interval = Math.Max(1, config.Count("full_attention_interval", 4));
        var types = config.Texts("layer_types", facts.Layers);
        bool IsFull(int layer) => types is { } list ? list[layer] == "full_attention" : (layer + 1) % interval == 0;
        var hasExperts = (config.TryCount("num_experts") ?? 0) > 0;
        var experts = hasExperts ? Qwen.ReadExperts(context, config.Width("shared_expert_intermediate_size", 512)) : null;
        var style = new DecoderStyle
        {
            Attention = new() { QueryKeyNorm = QueryKeyNorm.SharedByHeads, InputBias = config.Flag("attention_bias", false), OutputBias = config.Flag("attention_bias", false) },
            Mixer = layer => IsFull(layer.Index) ? new(GatedAttention(layer, config.Flag("attn_output_gate", true))) : new(null, Delta(layer, delta, fusedInputs)),
            LayerFeedForward = experts is null
                ? null
                : stackedExperts
                    ? layer => StackedExperts(layer, experts)
                    : Qwen.Sparse(context, SeparateExperts, experts),
        };
        context.Write(facts, style);
        WriteNextToken(context, facts, style with { Mixer = layer => new(GatedAttention(layer, config.Flag("attn_output_gate", true))) });
        return facts;
    }

    /// <summary>Attention whose query projection also makes a gate for its output.</summary>
    private static AttentionShape GatedAttention(DecoderLayer layer, bool gate)
    {
        var (builder, facts, style) = (layer.Builder, layer.Facts, layer.Style.Attention);
        var folder = layer.Prefix + "self_attn.";
        builder.Linear(folder + "q_proj", (gate ? 2 : 1) * facts.QueryWidth, facts.Hidden, TensorRole.Attention, style.InputBias);
        builder.Linear(folder + "k_proj", facts.KeyValueWidth, facts.Hidden, TensorRole.Attention, style.InputBias);
        builder.Linear(folder + "v_proj", facts.KeyValueWidth, facts.Hidden, TensorRole.Attention, style.InputBias);
        builder.Linear(folder + "o_proj", facts.Hidden, facts.QueryWidth, TensorRole.Attention, style.OutputBias);
        Decoder.QueryKeyNorms(builder, style, folder, facts.Heads, facts.KeyValueHeads, facts.HeadDim);
        return new() { Heads = facts.Heads, KeyValueHeads = facts.KeyValueHeads, KeyHeadDim = facts.HeadDim, ValueHeadDim = facts.HeadDim };
    }

    private static RecurrentShape Delta(DecoderLayer layer, DeltaSizes sizes, bool fusedInputs)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "linear_attn.");
        if (fusedInputs)
        {
            builder.Linear(folder + "in_proj_qkvz", sizes.Convolved + sizes.Values, hidden, TensorRole.Recurrent);
            builder.Linear(folder + "in_proj_ba", 2L * sizes.ValueHeads, hidden, TensorRole.Recurrent);
        }
        else
        {
            builder.Linear(folder + "in_proj_qkv", sizes.Convolved, hidden, TensorRole.Recurrent);
            builder.Linear(folder + "in_proj_z", sizes.Values, hidden, TensorRole.Recurrent);
            builder.Linear(folder + "in_proj_b", sizes.ValueHeads, hidden, TensorRole.Recurrent);
            builder.Linear(folder + "in_proj_a", sizes.ValueHeads, hidden, TensorRole.Recurrent);
        }
        Mamba.Convolution(builder, folder + "conv1d", sizes.Convolved, sizes.Kernel, bias: false);
        builder.Tensor(folder + "dt_bias", TensorRole.Recurrent, sizes.ValueHeads);
        builder.Tensor(folder + "A_log", TensorRole.Recurrent, sizes.ValueHeads);
        builder.Norm(folder + "norm", sizes.ValueDim);
        builder.Linear(folder + "out_proj", hidden, sizes.Values, TensorRole.Recurrent);
        return sizes.Shape;
    }

    /// <summary>The language part of Qwen3-VL-MoE: Qwen 3 with its experts stacked, transposed: (hidden, 2 × width) and (width, hidden).</summary>
    public static DecoderFacts WriteStackedMoe(ArchitectureContext context)
    {
        var experts = Qwen.ReadExperts(context, shared: 0);
        return context.Write(context.Facts(), Qwen.Qwen3Style(context) with
        {
            LayerFeedForward = layer =>
            {
                var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "mlp.");
                builder.Linear(folder + "gate", experts.Count, hidden, TensorRole.Router);
                builder.ExpertStack(folder + "experts.gate_up_proj", experts, linear: true, hidden, 2L * experts.Width);
                builder.ExpertStack(folder + "experts.down_proj", experts, linear: true, experts.Width, hidden);
                return new(0, Gated: true, experts);
            },
        });
    }

    private static FeedForwardShape StackedExperts(DecoderLayer layer, ExpertShape experts)
    {
        var (builder, hidden, folder) = (layer.Builder, (long)layer.Facts.Hidden, layer.Prefix + "mlp.");
        builder.Linear(folder + "gate", experts.Count, hidden, TensorRole.Router);
        builder.ExpertStack(folder + "experts.gate_up_proj", experts, linear: true, 2L * experts.Width, hidden);
        builder.ExpertStack(folder + "experts.down_proj", experts, linear: true, hidden, experts.Width);
        Decoder.SharedExperts(layer, SeparateExperts, experts.SharedWidth);
        return new(0, Gated: true, experts);
    }

    /// <summary>The MTP module: a projection of two normed hidden states, then ordinary layers with attention.</summary>
    private static void WriteNextToken(ArchitectureContext context, DecoderFacts facts, DecoderStyle style)
    {
        var count = context.Config.TryCount("mtp_num_hidden_layers", "num_nextn_predict_layers") ?? 0;
        if (count == 0)
            return;
        var builder = context.Builder;
        builder.AllAs(TensorRole.NextToken);
        builder.Linear("mtp.fc", facts.Hidden, 2L * facts.Hidden, TensorRole.Other);
        for (var index = 0; index < count; index++)
            Decoder.WriteTensors(new(builder, facts, style, index, $"mtp.layers.{index}."));
        builder.Norm("mtp.norm", facts.Hidden);
        builder.Norm("mtp.pre_fc_norm_embedding", facts.Hidden);
        builder.Norm("mtp.pre_fc_norm_hidden", facts.Hidden);
        builder.AllAs(null);
    }

    /// <summary>The sizes of a gated delta rule layer.</summary>
    private sealed record DeltaSizes(int KeyHeads, int KeyDim, int ValueHeads, int ValueDim, int Kernel)
    {
        public long Values => (long)ValueHeads * ValueDim;

        /// <summary>Channels of queries, keys and values together; all pass the convolution.</summary>
        public long Convolved => 2L * KeyHeads * KeyDim + Values;

        /// <summary>State per sequence: a key × value matrix per value head, and the last kernel − 1 inputs of the convolution.</summary>
        public RecurrentShape Shape => new("gated-delta", (Kernel - 1) * Convolved, Values * KeyDim);

        public static DeltaSizes Read(ConfigReader config) => new(
            config.Count("linear_num_key_heads", 16),
            config.Width("linear_key_head_dim", 128),
            config.Count("linear_num_value_heads", 32),
            config.Width("linear_value_head_dim", 128),
            config.Count("linear_conv_kernel_dim", 4));
    }
}
