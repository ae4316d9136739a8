namespace Plimsoll.Numerics;

/// <summary>The groups of engines that the format tables name. Sources: their own documentation, listed in docs/formats.md.</summary>
internal static class Engines
{
    public static readonly string[] All = ["llama.cpp", "transformers", "vLLM"];
    public static readonly string[] LlamaCpp = ["llama.cpp"];
    public static readonly string[] Torch = ["transformers", "vLLM"];
    public static readonly string[] Vllm = ["vLLM"];
    public static readonly string[] Transformers = ["transformers"];
    public static readonly string[] None = [];
}
