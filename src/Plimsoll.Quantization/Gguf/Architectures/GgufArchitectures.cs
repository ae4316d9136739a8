using Plimsoll.Numerics;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>The architectures that can be written as GGUF. A new one is a line here.</summary>
internal static class GgufArchitectures
{
    public static IReadOnlyList<GgufArchitecture> All { get; } =
    [
        new Llama(), new SmolLm3(), new Granite(), new Qwen2(), new Qwen3(), new Qwen3Moe(), new Gemma(), new Gemma2(), new Gemma3(), new Phi3(),
        new Gpt2(), new GptNeoX(), new Falcon(), new StableLm(), new Olmo2(), new Deepseek2(), new Glm4(), new GptOss(),
    ];

    private static readonly Dictionary<string, GgufArchitecture> ByModelType =
        All.SelectMany(architecture => architecture.ModelTypes.Select(type => (type, architecture))).ToDictionary(pair => pair.type, pair => pair.architecture, StringComparer.Ordinal);

    /// <summary>The architecture of a model type of <c>config.json</c>.</summary>
    /// <exception cref="QuantizationRefusedException">There is none; the message lists those that there are.</exception>
    public static GgufArchitecture Of(string modelType) => ByModelType.GetValueOrDefault(modelType) ?? throw new QuantizationRefusedException(
        $"GGUF files of '{modelType}' models cannot be written{Suggestion(modelType)}; those that can are {string.Join(", ", ByModelType.Keys.Order(StringComparer.Ordinal))}.");

    /// <summary>The architecture by llama.cpp's name; null when it is not among these.</summary>
    public static GgufArchitecture? OfGguf(string name) => All.FirstOrDefault(architecture => architecture.Name == name);

    private static string Suggestion(string modelType) => ClosestNames.Find(modelType, ByModelType.Keys) is [var closest, ..] ? $" (did you mean '{closest}'?)" : "";
}
