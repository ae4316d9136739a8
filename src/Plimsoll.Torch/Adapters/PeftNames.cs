namespace Plimsoll.Torch.Adapters;

/// <summary>How PEFT names the tensors of an adapter.</summary>
internal static class PeftNames
{
    /// <summary>PEFT's model around the model of transformers.</summary>
    private const string Prefix = "base_model.model.";

    public static string A(string module) => $"{Prefix}{module}.lora_A.weight";

    public static string B(string module) => $"{Prefix}{module}.lora_B.weight";

    /// <summary><c>model.layers.0.self_attn.q_proj</c> of its weight.</summary>
    public static string ModuleOf(string weight) => weight.EndsWith(".weight", StringComparison.Ordinal) ? weight[..^".weight".Length] : weight;

    /// <summary><c>q_proj</c>.</summary>
    public static string LastOf(string module) => module[(module.LastIndexOf('.') + 1)..];
}
