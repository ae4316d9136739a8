namespace Plimsoll.Testing.Builders;

/// <summary>One tiny model per architecture and variant, with the keys and tensors that llama.cpp v0.5.0 asks for.</summary>
public static class TinyModels
{
    public static TinyModel Create(string name) => name switch
    {
        "llama" => Llama(),
        "llama, tied" => new TinyModel("llama").Keys().Embeddings(head: false).EachLayer(LlamaLayer),
        "llama, linear rope" => Llama().Number("rope.scaling.factor", 4).Text("rope.scaling.type", "linear"),
        "llama, yarn rope" => Llama().Number("rope.scaling.factor", 4).Text("rope.scaling.type", "yarn").Integer("rope.scaling.original_context_length", 64),
        "llama, rope factors" => Llama().Tensor("rope_freqs.weight", [1, 1, 1.5f, 2, 3, 4, 6, 8], 8),
        "llama, biases" => new TinyModel("llama").Keys().Embeddings().EachLayer((model, at) => model.Norm(at + "attn_norm").Attention(at, bias: true).Tensor(at + "attn_output.bias", TinyModel.Hidden).Norm(at + "ffn_norm").Gated(at)),
        "mixtral" => new TinyModel("llama").Keys().Integer("expert_count", 4).Integer("expert_used_count", 2).Embeddings()
            .EachLayer((model, at) => model.Norm(at + "attn_norm").Attention(at).Norm(at + "ffn_norm").Experts(at, 4, model.Width)),
        "qwen2" => new TinyModel("qwen2").Keys().Number("rope.freq_base", 1e6f).Embeddings().EachLayer((model, at) => model.Norm(at + "attn_norm").Attention(at, bias: true).Norm(at + "ffn_norm").Gated(at)),
        "qwen3" => new TinyModel("qwen3").Keys().Integer("attention.key_length", 32).Integer("attention.value_length", 32).Embeddings()
            .EachLayer((model, at) => model.Norm(at + "attn_norm").Attention(at, headDim: 32).Norm(at + "attn_q_norm", width: 32).Norm(at + "attn_k_norm", width: 32).Norm(at + "ffn_norm").Gated(at)),
        "qwen3moe" => new TinyModel("qwen3moe").Keys().Integer("expert_count", 8).Integer("expert_used_count", 3).Integer("expert_feed_forward_length", 32).Embeddings()
            .EachLayer((model, at) => model.Norm(at + "attn_norm").Attention(at).Norm(at + "attn_q_norm", width: 16).Norm(at + "attn_k_norm", width: 16).Norm(at + "ffn_norm").Experts(at, 8, 32)),
        "gemma" => new TinyModel("gemma").Keys().Embeddings(head: false).EachLayer(LlamaLayer),
        "gemma2" => Gemma2(window: 8),
        "gemma3" => new TinyModel("gemma3") { Layers = 7 }.Keys().Integer("attention.sliding_window", 8).Number("rope.freq_base", 1e6f).Number("rope.scaling.factor", 8).Text("rope.scaling.type", "linear")
            .Embeddings(head: false).EachLayer((model, at) => FourNormLayer(model.Norm(at + "attn_q_norm", width: 16).Norm(at + "attn_k_norm", width: 16), at)),
        "phi3" => Phi3(),
        "phi3, longrope" => Phi3().Integer("rope.scaling.original_context_length", 16).Number("rope.scaling.attn_factor", 1.2f)
            .Tensor("rope_factors_long.weight", [1, 1.5f, 2, 3, 4, 6, 8, 12], 8).Tensor("rope_factors_short.weight", [1, 1, 1, 1.1f, 1.1f, 1.2f, 1.2f, 1.3f], 8),
        "gpt2" => new TinyModel("gpt2") { KeyValueHeads = 4 }.Keys("attention.layer_norm_epsilon").Embeddings(head: false, bias: true).Tensor("position_embd.weight", TinyModel.Hidden, 256)
            .EachLayer((model, at) => model.Norm(at + "attn_norm", bias: true).FusedAttention(at, bias: true).Norm(at + "ffn_norm", bias: true).Plain(at)),
        "gptneox" => NeoX(parallel: true),
        "gptneox, sequential" => NeoX(parallel: false),
        "stablelm" => new TinyModel("stablelm").Keys("attention.layer_norm_epsilon").Integer("rope.dimension_count", 4).Embeddings(bias: true)
            .EachLayer((model, at) => model.Norm(at + "attn_norm", bias: true).Attention(at).Norm(at + "ffn_norm", bias: true).Gated(at)),
        "stablelm, 12B" => new TinyModel("stablelm").Keys("attention.layer_norm_epsilon").Integer("rope.dimension_count", 4).Embeddings(bias: true)
            .EachLayer((model, at) => model.Norm(at + "attn_norm", bias: true).Attention(at).Tensor(at + "attn_q_norm.weight", 16, 4).Tensor(at + "attn_k_norm.weight", 16, 2).Gated(at)),
        "olmo2" => new TinyModel("olmo2").Keys().Embeddings().EachLayer(Olmo2Layer),
        "olmo3" => new TinyModel("olmo2") { Layers = 4 }.Keys().Integer("attention.sliding_window", 8).Number("rope.scaling.factor", 4).Text("rope.scaling.type", "yarn")
            .Integer("rope.scaling.original_context_length", 64).Embeddings().EachLayer(Olmo2Layer),
        "granite" => new TinyModel("granite").Keys().Number("embedding_scale", 3).Number("residual_scale", 0.3f).Number("logit_scale", 2).Number("attention.scale", 0.1f).Embeddings().EachLayer(LlamaLayer),
        "smollm3" => new TinyModel("smollm3") { Layers = 5 }.Keys().Embeddings(head: false).EachLayer(LlamaLayer),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such model"),
    };

    public static TinyModel Llama() => new TinyModel("llama").Keys().Embeddings().EachLayer(LlamaLayer);

    public static TinyModel Gemma2(uint window) => new TinyModel("gemma2") { Layers = 4 }.Keys().Integer("attention.sliding_window", window)
        .Number("attn_logit_softcapping", 2).Number("final_logit_softcapping", 3).Embeddings(head: false).EachLayer(FourNormLayer);

    private static TinyModel Phi3() => new TinyModel("phi3").Keys().Embeddings()
        .EachLayer((model, at) => model.Norm(at + "attn_norm").FusedAttention(at).Norm(at + "ffn_norm").Linear(at + "ffn_up", TinyModel.Hidden, 2 * model.Width).Linear(at + "ffn_down", model.Width, TinyModel.Hidden));

    private static TinyModel NeoX(bool parallel) => new TinyModel("gptneox") { KeyValueHeads = 4 }.Keys("attention.layer_norm_epsilon").Flag("use_parallel_residual", parallel).Integer("rope.dimension_count", 4)
        .Embeddings(bias: true).EachLayer((model, at) => model.Norm(at + "attn_norm", bias: true).FusedAttention(at, bias: true).Norm(at + "ffn_norm", bias: true).Plain(at));

    private static void LlamaLayer(TinyModel model, string at) => model.Norm(at + "attn_norm").Attention(at).Norm(at + "ffn_norm").Gated(at);

    private static void FourNormLayer(TinyModel model, string at) =>
        model.Norm(at + "attn_norm").Attention(at).Norm(at + "post_attention_norm").Norm(at + "ffn_norm").Gated(at).Norm(at + "post_ffw_norm");

    private static void Olmo2Layer(TinyModel model, string at) =>
        model.Attention(at).Norm(at + "attn_q_norm").Norm(at + "attn_k_norm", width: 32).Norm(at + "post_attention_norm").Gated(at).Norm(at + "post_ffw_norm");
}
