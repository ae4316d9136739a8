using System.Collections.Immutable;

namespace Plimsoll.Models.Gguf;

/// <summary>The layers of a GGUF file from its keys alone. The keys are the same for every architecture, so an architecture that nobody has seen is read as well as its keys describe it.</summary>
internal static class GgufLayers
{
    /// <summary>How many layers form a group of sliding layers with one full layer at its end, where llama.cpp has it in code and not in the file.</summary>
    private static readonly Dictionary<string, (int Period, int Window)> WindowsInCode = new(StringComparer.Ordinal)
    {
        ["gemma2"] = (2, 4096),
        ["gemma3"] = (6, 1024),
        ["gemma3n"] = (5, 512),
        ["gemma4"] = (6, 1024),
        ["gpt-oss"] = (2, 128),
        ["cohere2"] = (4, 4096),
        ["llama4"] = (4, 8192),
        ["olmo2"] = (4, 0),
        ["exaone4"] = (4, 0),
    };

    private static readonly string[] GatedDelta = ["qwen3next", "qwen35", "qwen35moe"];

    public static ImmutableArray<LayerShape> Read(GgufFacts facts, List<string> notes)
    {
        var windows = ReadWindows(facts, notes);
        var latent = ReadLatent(facts, notes);
        var recurrent = ReadRecurrent(facts);
        var interval = facts.Count("full_attention_interval") ?? (GatedDelta.Contains(facts.Architecture) ? 4 : 0);
        var firstShared = facts.Layers - Math.Min(facts.Count("attention.shared_kv_layers") ?? 0, facts.Layers);
        var layers = ImmutableArray.CreateBuilder<LayerShape>(facts.Layers);
        for (var index = 0; index < facts.Layers; index++)
        {
            var window = windows?.Invoke(index);
            var hasAttention = facts.KeyValueHeads[index] > 0 && (interval == 0 || recurrent is null || (index + 1) % interval == 0);
            var attention = hasAttention ? Attention(facts, index, window, latent) with { SharesKeyValues = index >= firstShared } : null;
            layers.Add(new()
            {
                Attention = attention,
                Recurrent = recurrent is not null && HasRecurrence(facts, index, attention) ? recurrent : null,
                FeedForward = FeedForward(facts, index),
            });
        }
        return layers.MoveToImmutable();
    }

    private static AttentionShape Attention(GgufFacts facts, int index, int? window, LatentAttentionShape? latent)
    {
        var (key, value) = window is not null && facts.Width("attention.key_length_swa") is { } sliding
            ? (sliding, facts.Width("attention.value_length_swa") ?? sliding)
            : (facts.KeyLength, facts.ValueLength);
        var heads = facts.Heads[index];
        if (latent is null)
            return new() { Heads = heads, KeyValueHeads = facts.KeyValueHeads[index], KeyHeadDim = key, ValueHeadDim = value, Window = window, Chunked = window is not null && facts.Architecture == "llama4" };
        // A file with the compressed layout states one wide key head; the true dimensions are beside it.
        return new()
        {
            Heads = heads,
            KeyValueHeads = heads,
            KeyHeadDim = facts.Width("attention.key_length_mla") ?? key,
            ValueHeadDim = facts.Width("attention.value_length_mla") ?? value,
            Latent = latent,
        };
    }

    private static LatentAttentionShape? ReadLatent(GgufFacts facts, List<string> notes)
    {
        if (facts.Width("attention.kv_lora_rank") is not { } rank || rank == 0)
            return null;
        var compressed = facts.KeyLength > rank || facts.Has("attention.key_length_mla");
        var rope = facts.Width("rope.dimension_count") ?? (compressed ? facts.KeyLength - rank : 64);
        if (!compressed)
            notes.Add("The file has the older layout of latent attention: llama.cpp caches the keys and values of every head, ik_llama.cpp the compressed ones.");
        return new(rank, rope, facts.Width("attention.q_lora_rank")) { FileCachesEveryHead = !compressed };
    }

    private static Func<int, int?>? ReadWindows(GgufFacts facts, List<string> notes)
    {
        var known = WindowsInCode.TryGetValue(facts.Architecture, out var inCode);
        var window = facts.Tokens("attention.sliding_window") ?? facts.Tokens("attention.chunk_size") ?? 0;
        if (window == 0 && known && inCode.Window > 0)
        {
            window = facts.Architecture == "gemma3" && facts.Hidden <= 1152 ? 512 : inCode.Window;
            notes.Add($"The sliding window is not stated; {window} tokens are usual for {facts.Architecture}.");
        }
        if (window == 0)
            return null;
        if (facts.PerLayer("attention.sliding_window_pattern") is { } pattern)
        {
            // Either one flag per layer, or the period of the pattern.
            var isPeriod = pattern.All(value => value == pattern[0]) && pattern[0] > 1;
            return isPeriod ? layer => (layer + 1) % pattern[0] != 0 ? window : null : layer => pattern[layer] != 0 ? window : null;
        }
        if (known)
        {
            // Gemma 4 E2B has groups of five, its larger kin groups of six.
            var period = facts.Architecture == "gemma4" && facts.Layers % 6 != 0 ? 5 : inCode.Period;
            return layer => (layer + 1) % period != 0 ? window : null;
        }
        // llama.cpp has no sliding cache for the other architectures, Phi-3 among them, whatever the file states.
        return null;
    }

    /// <summary>The state of a recurrent layer in the sizes llama.cpp allocates, per sequence.</summary>
    private static RecurrentShape? ReadRecurrent(GgufFacts facts)
    {
        if (facts.Count("ssm.conv_kernel") is { } kernel and > 0)
        {
            long inner = facts.Width("ssm.inner_size") ?? 0, state = facts.Width("ssm.state_size") ?? 0, groups = facts.Count("ssm.group_count") ?? 0;
            var kind = GatedDelta.Contains(facts.Architecture) ? "gated-delta" : groups > 0 ? "mamba2" : "mamba";
            if (facts.Width("kda.head_dim") is { } dim and > 0)
                return new("kda", 3L * (kernel - 1) * facts.MaxHeads * dim, (long)facts.MaxHeads * dim * dim);
            return new(kind, (kernel - 1) * (inner + 2 * groups * state), state * inner);
        }
        if (facts.Count("shortconv.l_cache") is { } cache and > 0)
            return new("short-conv", (long)(cache - 1) * facts.Hidden, 0);
        if (facts.Width("wkv.head_size") is { } size and > 0)
            return new("rwkv", (long)(facts.Count("token_shift_count") ?? 2) * facts.Hidden, (long)facts.Hidden * size);
        return null;
    }

    /// <summary>Falcon-H1 has both side by side; Nemotron-H has blocks with neither; elsewhere a layer without attention is recurrent.</summary>
    private static bool HasRecurrence(GgufFacts facts, int index, AttentionShape? attention) =>
        facts.Architecture == "falcon-h1" || (attention is null && !(facts.Architecture.StartsWith("nemotron_h", StringComparison.Ordinal) && facts.FeedForward[index] > 0));

    private static FeedForwardShape? FeedForward(GgufFacts facts, int index)
    {
        var experts = facts.Count("expert_count") ?? 0;
        var dense = facts.FeedForward[index];
        var step = Math.Max(1, facts.Count("interleave_moe_layer_step") ?? 1);
        if (experts == 0 || index < (facts.Count("leading_dense_block_count") ?? 0) || (index + 1) % step != 0)
            return dense == 0 ? null : new(dense, Gated: true);
        var width = facts.Width("expert_feed_forward_length") is { } own and > 0 ? own : dense;
        var shared = facts.Width("expert_shared_feed_forward_length") ?? checked((facts.Count("expert_shared_count") ?? 0) * width);
        return new(facts.Architecture == "gemma4" ? dense : 0, Gated: true, new(experts, facts.Count("expert_used_count") ?? 0, width, shared));
    }
}
