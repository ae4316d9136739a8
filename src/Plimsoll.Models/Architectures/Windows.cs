using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Which layers attend through a sliding window, from the ways configurations say it.</summary>
internal static class Windows
{
    /// <summary>The <c>layer_types</c> list where there is one; <paramref name="otherwise"/> tells which layers slide where there is none.</summary>
    public static Func<int, int?>? Read(ConfigReader config, int layers, Func<int, bool> otherwise)
    {
        if (Length(config) is not { } window)
            return null;
        var types = config.Texts("layer_types", layers);
        return layer => (types is { } list ? list[layer].Contains("sliding", StringComparison.Ordinal) : otherwise(layer)) ? window : null;
    }

    /// <summary>The window in tokens; null when there is none, or when it covers the whole context, which is attention over the whole context (Phi-3 128k).</summary>
    public static int? Length(ConfigReader config)
    {
        if (config.TryTokens("sliding_window", "sliding_window_size") is not { } window || window == 0)
            return null;
        return config.TryTokens("max_position_embeddings", "max_sequence_length") is { } context && window >= context ? null : window;
    }

    /// <summary>One layer in <paramref name="period"/>, the last of each group, attends to the whole context (Gemma 3: 6).</summary>
    public static Func<int, bool> AllButEvery(int period) => layer => period == 0 || (layer + 1) % period != 0;
}
