using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Speed;

/// <summary>The models of the speed measurements, from their published configurations, and what their weights occupy.</summary>
internal static class MeasuredModels
{
    private sealed record Dimensions(
        int Layers, int Hidden, int Heads, int KeyValueHeads, int HeadDim, int Width, int Vocabulary, bool Tied = false, int Experts = 0, int Used = 0, int ExpertWidth = 0, int SharedWidth = 0);

    private static readonly Dictionary<string, Dimensions> Table = new(StringComparer.OrdinalIgnoreCase)
    {
        ["LLaMA 3 8B"] = new(32, 4096, 32, 8, 128, 14336, 128256),
        ["LLaMA 3 70B"] = new(80, 8192, 64, 8, 128, 28672, 128256),
        ["Qwen2-1.5B-Instruct"] = new(28, 1536, 12, 2, 128, 8960, 151936, Tied: true),
        ["Qwen2-72B-Instruct"] = new(80, 8192, 64, 8, 128, 29568, 152064),
        ["Qwen2-57B-A14B-Instruct"] = new(28, 3584, 28, 4, 128, 0, 151936, Experts: 64, Used: 8, ExpertWidth: 2560, SharedWidth: 20480),
        ["Qwen2.5-0.5B-Instruct"] = new(24, 896, 14, 2, 64, 4864, 151936, Tied: true),
        ["Qwen2.5-1.5B-Instruct"] = new(28, 1536, 12, 2, 128, 8960, 151936, Tied: true),
        ["Qwen2.5-14B-Instruct"] = new(48, 5120, 40, 8, 128, 13824, 152064),
        ["Qwen2.5-32B-Instruct"] = new(64, 5120, 40, 8, 128, 27648, 152064),
        ["Qwen3-4B"] = new(36, 2560, 32, 8, 128, 9728, 151936, Tied: true),
        ["Qwen3-14B"] = new(40, 5120, 40, 8, 128, 17408, 151936),
        ["Qwen3-30B-A3B"] = new(48, 2048, 32, 4, 128, 0, 151936, Experts: 128, Used: 8, ExpertWidth: 768),
        ["Qwen3-235B-A22B"] = new(94, 4096, 64, 4, 128, 0, 151936, Experts: 128, Used: 8, ExpertWidth: 1536),
    };

    public static ModelShape? Find(string name) => Table.TryGetValue(name, out var size) ? Build(name, size) : null;

    /// <summary>Bits per weight of the linear layers; embedding and head stay at 16 bits, in GGUF files at the file's average.</summary>
    public static WeightSet? Weights(ModelShape model, string precision)
    {
        (double Linear, double Other)? bits = precision switch
        {
            "f16" or "bf16" or "gguf:f16" => (16, 16),
            "fp8" => (8.002, 16),
            "gptq:8bit-g128" => (8.16, 16),
            "gptq:4bit-g128" or "awq:4bit-g128" => (4.16, 16),
            "gguf:q4_k_m" => (4.83, 4.83),
            _ => null,
        };
        return bits is not { } known ? null : new(precision,
        [
            .. model.Tensors.Select(tensor => new WeightTensor(tensor, NumberFormats.Fp16, (long)(tensor.Elements * (tensor.IsLinear && tensor.Role != TensorRole.OutputHead ? known.Linear : known.Other) / 8))),
        ]);
    }

    private static ModelShape Build(string name, Dimensions size)
    {
        var tensors = ImmutableArray.CreateBuilder<TensorShape>();
        void Add(string tensor, TensorRole role, int? layer, long rows, long columns, bool linear, int count = 1, int active = 1) =>
            tensors.Add(new() { Name = tensor, Dimensions = [rows, columns], Role = role, Layer = layer, IsLinear = linear, Count = count, ActiveCount = active });

        Add("embed_tokens", TensorRole.Embedding, null, size.Vocabulary, size.Hidden, false);
        if (!size.Tied)
            Add("lm_head", TensorRole.OutputHead, null, size.Vocabulary, size.Hidden, true);
        for (var layer = 0; layer < size.Layers; layer++)
        {
            Add("q", TensorRole.Attention, layer, size.Heads * size.HeadDim, size.Hidden, true);
            Add("kv", TensorRole.Attention, layer, 2 * size.KeyValueHeads * size.HeadDim, size.Hidden, true);
            Add("o", TensorRole.Attention, layer, size.Hidden, size.Heads * size.HeadDim, true);
            if (size.Width > 0)
                Add("mlp", TensorRole.FeedForward, layer, 3L * size.Width, size.Hidden, true);
            if (size.SharedWidth > 0)
                Add("shared", TensorRole.SharedExpert, layer, 3L * size.SharedWidth, size.Hidden, true);
            if (size.Experts > 0)
                Add("experts.*", TensorRole.Expert, layer, 3L * size.ExpertWidth, size.Hidden, true, size.Experts, size.Used);
        }
        var shape = new LayerShape
        {
            Attention = new() { Heads = size.Heads, KeyValueHeads = size.KeyValueHeads, KeyHeadDim = size.HeadDim, ValueHeadDim = size.HeadDim },
            FeedForward = new(size.Width, true, size.Experts == 0 ? null : new(size.Experts, size.Used, size.ExpertWidth, size.SharedWidth)),
        };
        return new()
        {
            Id = name,
            Architecture = "test",
            HiddenSize = size.Hidden,
            VocabularySize = size.Vocabulary,
            TiedEmbeddings = size.Tied,
            Layers = [.. Enumerable.Repeat(shape, size.Layers)],
            Tensors = tensors.ToImmutable(),
            Source = "test",
        };
    }
}
