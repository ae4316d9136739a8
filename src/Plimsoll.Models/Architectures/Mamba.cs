using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Sizes of a Mamba-2 mixer. Inner width = heads × head dimension.</summary>
internal sealed record Mamba2Sizes(int Heads, int HeadDim, int Groups, int State, int Kernel)
{
    public long Inner => (long)Heads * HeadDim;

    /// <summary>Channels that pass the convolution: the inner width and, per group, one B and one C of the state size.</summary>
    public long Convolved => Inner + 2L * Groups * State;

    /// <summary>State per sequence: the last kernel − 1 inputs of the convolution, and inner × state (Mamba-2, arXiv 2405.21060).</summary>
    public RecurrentShape Shape => new("mamba2", (Kernel - 1) * Convolved, Inner * State);

    public static Mamba2Sizes Read(ConfigReader config, string heads, string headDim, string groups, string state, string kernel) =>
        new(config.Count(heads), config.Width(headDim), config.Count(groups, 1), config.Width(state), config.Count(kernel, 4));
}

/// <summary>Which projections of a Mamba mixer have a bias.</summary>
internal readonly record struct MambaBias(bool Projections, bool Convolution)
{
    public static MambaBias Read(ConfigReader config, string projections, string convolution) => new(config.Flag(projections, false), config.Flag(convolution, true));
}

/// <summary>Mamba, Mamba-2, Falcon-Mamba, and the mixers of the hybrids.</summary>
internal static class Mamba
{
    public static DecoderFacts WriteMamba(ArchitectureContext context)
    {
        var (config, hidden) = (context.Config, context.Config.Width("hidden_size", "d_model"));
        var sizes = Mamba1Sizes.Read(config, hidden, "expand", "state_size", "conv_kernel", "time_step_rank");
        var bias = MambaBias.Read(config, "use_bias", "use_conv_bias");
        return WriteBackbone(context, hidden, layer => WriteMamba1(layer.Builder, layer.Prefix + "mixer.", sizes, hidden, bias, norms: false));
    }

    public static DecoderFacts WriteMamba2(ArchitectureContext context)
    {
        var (config, hidden) = (context.Config, context.Config.Width("hidden_size"));
        var sizes = Mamba2Sizes.Read(config, "num_heads", "head_dim", "n_groups", "state_size", "conv_kernel");
        var bias = MambaBias.Read(config, "use_bias", "use_conv_bias");
        return WriteBackbone(context, hidden, layer => WriteMamba2(layer.Builder, layer.Prefix + "mixer.", sizes, hidden, bias, gatedNorm: true));
    }

    private static DecoderFacts WriteBackbone(ArchitectureContext context, int hidden, Func<DecoderLayer, RecurrentShape> mixer)
    {
        var config = context.Config;
        var facts = new DecoderFacts
        {
            Hidden = hidden,
            Layers = config.Count("num_hidden_layers", "n_layer"),
            Heads = 0,
            KeyValueHeads = 0,
            HeadDim = 0,
            FeedForward = 0,
            Vocabulary = config.Width("vocab_size"),
            Tied = config.Flag("tie_word_embeddings", true),
        };
        return context.Write(facts, new()
        {
            Embedding = "embeddings",
            FinalNorm = "norm_f",
            LayerNorms = ["norm"],
            Mixer = layer => new(null, mixer(layer)),
            LayerFeedForward = _ => null,
        }, "backbone.");
    }

    /// <summary>A Mamba-1 mixer; <paramref name="norms"/> adds Jamba's norms of time step, B and C.</summary>
    public static RecurrentShape WriteMamba1(ShapeBuilder builder, string folder, Mamba1Sizes sizes, long hidden, MambaBias bias, bool norms)
    {
        builder.Linear(folder + "in_proj", 2 * sizes.Inner, hidden, TensorRole.Recurrent, bias.Projections);
        Convolution(builder, folder + "conv1d", sizes.Inner, sizes.Kernel, bias.Convolution);
        builder.Linear(folder + "x_proj", sizes.StepRank + 2L * sizes.State, sizes.Inner, TensorRole.Recurrent);
        builder.Linear(folder + "dt_proj", sizes.Inner, sizes.StepRank, TensorRole.Recurrent, bias: true);
        builder.Tensor(folder + "A_log", TensorRole.Recurrent, sizes.Inner, sizes.State);
        builder.Tensor(folder + "D", TensorRole.Recurrent, sizes.Inner);
        builder.Linear(folder + "out_proj", hidden, sizes.Inner, TensorRole.Recurrent, bias.Projections);
        if (norms)
        {
            builder.Norm(folder + "dt_layernorm", sizes.StepRank);
            builder.Norm(folder + "b_layernorm", sizes.State);
            builder.Norm(folder + "c_layernorm", sizes.State);
        }
        return sizes.Shape;
    }

    /// <summary>A Mamba-2 mixer; the gated norm over the inner width is missing in some Falcon-H1.</summary>
    public static RecurrentShape WriteMamba2(ShapeBuilder builder, string folder, Mamba2Sizes sizes, long hidden, MambaBias bias, bool gatedNorm)
    {
        builder.Linear(folder + "in_proj", sizes.Inner + sizes.Convolved + sizes.Heads, hidden, TensorRole.Recurrent, bias.Projections);
        Convolution(builder, folder + "conv1d", sizes.Convolved, sizes.Kernel, bias.Convolution);
        builder.Tensor(folder + "dt_bias", TensorRole.Recurrent, sizes.Heads);
        builder.Tensor(folder + "A_log", TensorRole.Recurrent, sizes.Heads);
        builder.Tensor(folder + "D", TensorRole.Recurrent, sizes.Heads);
        if (gatedNorm)
            builder.Norm(folder + "norm", sizes.Inner);
        builder.Linear(folder + "out_proj", hidden, sizes.Inner, TensorRole.Recurrent, bias.Projections);
        return sizes.Shape;
    }

    /// <summary>A depthwise convolution: (channels, 1, kernel).</summary>
    public static void Convolution(ShapeBuilder builder, string name, long channels, int kernel, bool bias)
    {
        builder.Tensor(name + ".weight", TensorRole.Recurrent, channels, 1, kernel);
        if (bias)
            builder.Tensor(name + ".bias", TensorRole.Recurrent, channels);
    }
}

/// <summary>Sizes of a Mamba-1 mixer.</summary>
internal sealed record Mamba1Sizes(long Inner, int State, int Kernel, int StepRank)
{
    /// <summary>State per sequence: the last kernel − 1 inputs of the convolution, and inner × state (arXiv 2312.00752).</summary>
    public RecurrentShape Shape => new("mamba", (Kernel - 1) * Inner, Inner * State);

    public static Mamba1Sizes Read(ConfigReader config, int hidden, string expand, string state, string kernel, string rank)
    {
        var inner = config.TryWidth("intermediate_size", "d_inner") is { } stated && expand == "expand" ? stated : (long)hidden * config.Count(expand, 2);
        var stepRank = config.Root.TryGetProperty(rank, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.Number
            ? config.Width(rank)
            : (hidden + 15) / 16;
        return new(inner, config.Width(state, 16), config.Count(kernel, 4), stepRank);
    }
}
