using Plimsoll.Models.Catalog;

namespace Plimsoll.Models.Tests;

public class NamedPrecisionTests
{
    [Theory]
    [InlineData("Qwen/Qwen2.5-7B-Instruct-AWQ", "awq:4bit-g128")]
    [InlineData("Qwen2.5-72B-Instruct-GPTQ-Int8", "gptq:8bit-g128")]
    [InlineData("Qwen3-235B-A22B-FP8", "fp8:block128")]
    [InlineData("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "fp8:channel")]
    [InlineData("gemma-3-27b-it-Q4_K_M.gguf", "gguf:q4_k_m")]
    [InlineData("bartowski/phi-4:IQ4_XS", "gguf:iq4_xs")]
    [InlineData("llama-3.1-8b-Q8_0", "gguf:q8_0")]
    [InlineData("llama-3.1-8b", null)]
    [InlineData("Qwen3-30B-A3B", null)]
    public void The_end_of_a_name_states_the_precision(string name, string? precision) => Assert.Equal(precision, NamedPrecision.Of(name));
}
