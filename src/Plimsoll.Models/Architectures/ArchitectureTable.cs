namespace Plimsoll.Models.Architectures;

/// <summary>From the model type of a configuration to the code that writes its tensors. A new architecture is one line here.</summary>
internal static class ArchitectureTable
{
    private static readonly Dictionary<string, WriteArchitecture> Writers = new(StringComparer.Ordinal)
    {
        ["llama"] = Llama.Write,
        ["mistral"] = Llama.WriteMistral,
        ["granite"] = Llama.WriteTied,
        ["smollm3"] = Llama.WriteSmolLm3,
        ["arcee"] = Llama.WriteArcee,
        ["seed_oss"] = Llama.WriteSeedOss,
        ["internlm"] = Llama.WriteInternLm,
        ["internlm2"] = Llama.WriteInternLm2,
        ["baichuan"] = Llama.WriteBaichuan,
        ["orion"] = Llama.WriteOrion,
        ["apertus"] = Llama.WriteApertus,
        ["exaone4"] = Llama.WriteExaone4,
        ["qwen"] = Qwen.WriteQwen1,
        ["qwen2"] = Qwen.WriteQwen2,
        ["qwen2_moe"] = Qwen.WriteQwen2Moe,
        ["qwen3"] = Qwen.WriteQwen3,
        ["qwen3_moe"] = Qwen.WriteQwen3Moe,
        ["gemma"] = Gemma.WriteGemma,
        ["gemma2"] = Gemma.WriteGemma2,
        ["gemma3_text"] = Gemma.WriteGemma3,
        ["mixtral"] = Mixtral.Write,
        ["phimoe"] = Mixtral.WritePhiMoe,
        ["minimax_m2"] = Mixtral.WriteMiniMaxM2,
        ["phi"] = Phi.WritePhi,
        ["phi3"] = Phi.WritePhi3,
        ["gpt2"] = Gpt.WriteGpt2,
        ["gpt_bigcode"] = Gpt.WriteBigCode,
        ["gpt_neo"] = Gpt.WriteNeo,
        ["gptj"] = Gpt.WriteJ,
        ["gpt_neox"] = Gpt.WriteNeoX,
        ["falcon"] = Falcon.Write,
        ["RefinedWeb"] = Falcon.Write,
        ["RefinedWebModel"] = Falcon.Write,
        ["deepseek"] = Deepseek.WriteV1,
        ["deepseek_v2"] = Deepseek.WriteV2,
        ["deepseek_v3"] = Deepseek.WriteV3,
        ["deepseek_v32"] = Deepseek.WriteV32,
        ["kimi_k2"] = Deepseek.WriteV3,
        ["glm_moe_dsa"] = Deepseek.WriteV32,
    };

    public static IEnumerable<string> ModelTypes => Writers.Keys;

    public static WriteArchitecture? Find(string modelType) => Writers.GetValueOrDefault(modelType);
}
