using Plimsoll.Numerics;

namespace Plimsoll.Models.Architectures;

/// <summary>Model types by the other names configurations use.</summary>
internal static class ModelTypes
{
    private static readonly string[] Suffixes = ["ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForSequenceClassification", "Model"];

    /// <summary>From <c>GPTNeoXForCausalLM</c> to <c>gpt_neox</c>: the known type that is the class name without its suffix and separators.</summary>
    public static string FromClassName(string className)
    {
        var stem = className;
        foreach (var suffix in Suffixes)
        {
            if (className.EndsWith(suffix, StringComparison.Ordinal))
            {
                stem = className[..^suffix.Length];
                break;
            }
        }
        var squeezed = Squeeze(stem);
        return ArchitectureTable.ModelTypes.FirstOrDefault(type => Squeeze(type) == squeezed) ?? stem;
    }

    /// <summary>The known model type that looks most like this one; null when none does.</summary>
    public static string? Nearest(string modelType) => ClosestNames.Find(modelType, ArchitectureTable.ModelTypes, 1).FirstOrDefault();

    private static string Squeeze(string name) => name.Replace("_", "").Replace("-", "").ToLowerInvariant();
}
