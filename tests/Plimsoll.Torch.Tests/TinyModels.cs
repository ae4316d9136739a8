using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Runtime.Weights;
using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests;

/// <summary>Random models of two layers, one per family.</summary>
internal static class TinyModels
{
    private const string Common = """ "hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":8,"vocab_size":64,"max_position_embeddings":64,"rms_norm_eps":1e-5""";

    private static readonly Dictionary<string, string> Own = new()
    {
        ["llama"] = """ "model_type":"llama","rope_theta":1000,"tie_word_embeddings":false""",
        ["mistral"] = """ "model_type":"mistral","sliding_window":5,"tie_word_embeddings":false""",
        ["qwen2"] = """ "model_type":"qwen2","tie_word_embeddings":true""",
        ["qwen3"] = """ "model_type":"qwen3","tie_word_embeddings":false""",
        ["smollm3"] = """ "model_type":"smollm3","no_rope_layers":[1,0],"tie_word_embeddings":true""",
        ["gemma"] = """ "model_type":"gemma","hidden_act":"gelu_pytorch_tanh","tie_word_embeddings":true""",
        ["gemma2"] = """ "model_type":"gemma2","hidden_activation":"gelu_pytorch_tanh","query_pre_attn_scalar":16,"attn_logit_softcapping":5.0,"final_logit_softcapping":3.0,"sliding_window":4,"tie_word_embeddings":true""",
        ["gemma3_text"] = """ "model_type":"gemma3_text","hidden_activation":"gelu_pytorch_tanh","query_pre_attn_scalar":8,"sliding_window":4,"layer_types":["sliding_attention","full_attention"],"tie_word_embeddings":true""",
        ["olmo2"] = """ "model_type":"olmo2","tie_word_embeddings":false""",
        ["granite"] = """ "model_type":"granite","embedding_multiplier":3.0,"residual_multiplier":0.5,"attention_multiplier":0.2,"logits_scaling":2.0,"tie_word_embeddings":true""",
    };

    public static IEnumerable<string> Families => Own.Keys;

    public static string Config(string family) => $"{{{Own[family]},{Common}}}";

    /// <summary>A decoder whose weights a seed decides; matrices are large enough for attention to differ between tokens.</summary>
    public static Decoder Create(string family, int seed = 1)
    {
        manual_seed(seed);
        var decoder = Describe(Config(family));
        using var none = no_grad();
        using var scope = NewDisposeScope();
        foreach (var weight in decoder.Weights)
        {
            if (weight.Value.dim() == 2)
                weight.Value.mul_(8);
            else
                weight.Value.add_(randn_like(weight.Value) * 0.1);
        }
        return decoder;
    }

    /// <summary>Random weights for a configuration.</summary>
    public static Decoder Describe(string json)
    {
        var config = ModelConfig.Parse("config.json", System.Text.Encoding.UTF8.GetBytes(json));
        using var checkpoint = DecoderCheckpoint.Describe(config, ModelLocator.FromConfig(config, "tiny", null, null).Shape);
        return new DecoderLoader(checkpoint, ScalarType.Float32, CPU) { Initialize = true }.Load();
    }

    public static Decoder Learning(string family, int seed = 1)
    {
        var decoder = Create(family, seed);
        foreach (var weight in decoder.Weights)
            weight.Learns = true;
        return decoder;
    }

    /// <summary>Tokens and targets (rows, length), from a seed.</summary>
    public static (Tensor Tokens, Tensor Targets) Batch(int rows, int length, int seed = 7)
    {
        var random = new Random(seed);
        var ids = Enumerable.Range(0, rows * (length + 1)).Select(_ => (long)random.Next(64)).ToArray();
        var all = tensor(ids, [rows, length + 1]);
        return (all.narrow(1, 0, length).contiguous(), all.narrow(1, 1, length).contiguous());
    }
}
