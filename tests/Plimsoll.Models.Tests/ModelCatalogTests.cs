using Plimsoll.Models.Catalog;

namespace Plimsoll.Models.Tests;

public class ModelCatalogTests
{
    [Theory]
    [InlineData("llama-3.1-8b", "meta-llama/Llama-3.1-8B")]
    [InlineData("meta-llama/Meta-Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B")]
    [InlineData("Meta_Llama_3.1_8b_it", "meta-llama/Llama-3.1-8B")]
    [InlineData("meta-llama/Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-8B")]
    [InlineData("Llama 2 7B", "meta-llama/Llama-2-7b-hf")]
    [InlineData("Llama_2_7b", "meta-llama/Llama-2-7b-hf")]
    [InlineData("CodeLlama 34B", "codellama/CodeLlama-34b-hf")]
    [InlineData("Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-0.5B")]
    [InlineData("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4", "Qwen/Qwen2.5-7B")]
    [InlineData("Qwen3-30B-A3B-UD-Q4_K_XL", "Qwen/Qwen3-30B-A3B")]
    [InlineData("Qwen3-30B-A3B-Thinking-2507-UD-IQ2_XXS.gguf", "Qwen/Qwen3-30B-A3B-Instruct-2507")]
    [InlineData("qwen3:8b", "Qwen/Qwen3-8B")]
    [InlineData("phi-1.5 1.3B", "microsoft/phi-1_5")]
    [InlineData("phi3:mini", "microsoft/Phi-3-mini-4k-instruct")]
    [InlineData("GPT-J-6B", "EleutherAI/gpt-j-6b")]
    [InlineData("StableLM Alpha 3B", "stabilityai/stablelm-base-alpha-3b")]
    [InlineData("Falcon 40B", "tiiuae/falcon-40b")]
    [InlineData("DeepSeek R1 0528", "deepseek-ai/DeepSeek-R1")]
    [InlineData("unsloth_DeepSeek R1 BF16", "deepseek-ai/DeepSeek-R1")]
    [InlineData("deepseek-coder-v2-16b", "deepseek-ai/DeepSeek-Coder-V2-Lite-Base")]
    [InlineData("DeepSeek V2.5 1210", "deepseek-ai/DeepSeek-V2.5")]
    [InlineData("TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "mistralai/Mistral-7B-Instruct-v0.2")]
    [InlineData("EleutherAI/pythia-1.4b-deduped", "EleutherAI/pythia-1.4b")]
    public void A_name_finds_its_model_however_it_is_spelled(string name, string id) => Assert.Equal(id, ModelCatalog.Default.Find(name)?.Id);

    [Theory]
    [InlineData("llama-3.1-80b")]
    [InlineData("llama-2-8b")]
    [InlineData("qwen3-80b")]
    [InlineData("qwen2.5-5b")]
    [InlineData("falcon-4b")]
    [InlineData("model")]
    [InlineData("")]
    [InlineData("///")]
    public void A_name_never_finds_a_model_of_another_size(string name) => Assert.Null(ModelCatalog.Default.Find(name));

    [Fact]
    public void A_mistyped_name_is_answered_with_the_closest_ones() => Assert.Contains("Llama-3.1-8B", ModelCatalog.Default.Suggest("lama-3.1-8b"));
}
