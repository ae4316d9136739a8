namespace Plimsoll.Models.Architectures;

/// <summary>MiMo-7B.</summary>
internal static class MiMo
{
    /// <summary>MiMo-7B: Qwen 2 with MTP layers.</summary>
    public static DecoderFacts Write(ArchitectureContext context)
    {
        var facts = context.Facts();
        var style = new DecoderStyle { Attention = new() { InputBias = context.Config.Flag("attention_bias", true) } };
        context.Write(facts, style);
        var builder = context.Builder;
        builder.AllAs(TensorRole.NextToken);
        for (var index = 0; index < context.Config.Count("num_nextn_predict_layers", 0); index++)
        {
            var prefix = $"{context.Trunk()}mtp_layers.{index}.";
            Decoder.WriteTensors(new(builder, facts, style, index, prefix));
            builder.Norm(prefix + "token_layernorm", facts.Hidden);
            builder.Norm(prefix + "hidden_layernorm", facts.Hidden);
            builder.Norm(prefix + "final_layernorm", facts.Hidden);
            builder.Linear(prefix + "input_proj", facts.Hidden, 2L * facts.Hidden, TensorRole.Other);
        }
        builder.AllAs(null);
        return facts;
    }
}
