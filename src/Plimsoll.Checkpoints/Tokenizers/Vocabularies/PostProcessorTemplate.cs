using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>The tokens that a <c>post_processor</c> of tokenizer.json puts around a text.</summary>
internal static class PostProcessorTemplate
{
    /// <returns>Ids before and after a single text; both empty when nothing is added.</returns>
    /// <exception cref="CheckpointFormatException">A step that we do not know.</exception>
    public static (ImmutableArray<int> Before, ImmutableArray<int> After) Single(string path, JsonElement? processor)
    {
        if (processor is not { ValueKind: JsonValueKind.Object } step || !step.TryGetProperty("type", out var type))
            return ([], []);
        switch (type.ValueKind == JsonValueKind.String ? type.GetString() : null)
        {
            case "TemplateProcessing" when step.TryGetProperty("single", out var single) && single.ValueKind == JsonValueKind.Array:
                var tokens = step.TryGetProperty("special_tokens", out var special) ? special : default;
                var isText = single.EnumerateArray().Select(part => part.TryGetProperty("Sequence", out _)).ToList();
                var ids = single.EnumerateArray().Select(part => Ids(part, tokens)).ToList();
                var text = isText.IndexOf(true);
                return ([.. ids.Take(text).SelectMany(part => part)], [.. ids.Skip(text + 1).SelectMany(part => part)]);
            case "BertProcessing" or "RobertaProcessing":
                return ([.. PairId(step, "cls")], [.. PairId(step, "sep")]);
            case "Sequence" when step.TryGetProperty("processors", out var processors) && processors.ValueKind == JsonValueKind.Array:
                return processors.EnumerateArray().Select(inner => Single(path, inner)).FirstOrDefault(found => found.Before.Length + found.After.Length > 0, ([], []));
            // It moves offsets, not ids.
            case "ByteLevel":
                return ([], []);
            case var other:
                throw new CheckpointFormatException(path, null, "a post_processor that we know (TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence) with its parts", $"'{other}'");
        }
    }

    /// <summary><c>{"SpecialToken": {"id": "&lt;s&gt;"}}</c>, whose ids the map beside the template gives.</summary>
    private static IEnumerable<int> Ids(JsonElement part, JsonElement tokens) =>
        part.TryGetProperty("SpecialToken", out var token) && token.TryGetProperty("id", out var name) && name.ValueKind == JsonValueKind.String
            && tokens.ValueKind == JsonValueKind.Object && tokens.TryGetProperty(name.GetString()!, out var entry)
            && entry.TryGetProperty("ids", out var ids) && ids.ValueKind == JsonValueKind.Array
            ? ids.EnumerateArray().Where(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out _)).Select(id => id.GetInt32())
            : [];

    /// <summary><c>"cls": ["[CLS]", 101]</c>.</summary>
    private static IEnumerable<int> PairId(JsonElement step, string name)
    {
        if (step.TryGetProperty(name, out var pair) && pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2
            && pair[1].ValueKind == JsonValueKind.Number && pair[1].TryGetInt32(out var id))
            yield return id;
    }
}
