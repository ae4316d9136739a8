using Plimsoll.Models;

namespace Plimsoll.Planning.Weights;

/// <summary>The names that quantization lists may have for a module.</summary>
internal static class ModuleNames
{
    /// <summary>The module of <paramref name="tensor"/> as the architecture names it, then as wrappers for images, fused experts and DeepSeek's own code do.</summary>
    public static string[] Of(TensorShape tensor)
    {
        // Lists speak of all experts or of each; each has the same entry.
        var name = (tensor.Name.EndsWith(".weight", StringComparison.Ordinal) ? tensor.Name[..^".weight".Length] : tensor.Name).Replace('*', '0');
        var inside = name.StartsWith("model.", StringComparison.Ordinal) ? name["model.".Length..] : name;
        return
        [
            name, .. OneExpert(name),
            $"model.language_model.{inside}", .. OneExpert($"model.language_model.{inside}"),
            $"language_model.{name}", .. OneExpert($"language_model.{name}"),
            inside.Replace(".mlp.", ".ffn.", StringComparison.Ordinal).Replace(".self_attn.", ".attn.", StringComparison.Ordinal),
        ];
    }

    /// <summary>Experts that are one stacked parameter in the library are separate modules in lists of other tools.</summary>
    private static string[] OneExpert(string name)
    {
        const string Stack = ".experts.";
        var at = name.IndexOf(Stack, StringComparison.Ordinal);
        if (at < 0 || char.IsAsciiDigit(name[at + Stack.Length]))
            return [];
        var (before, projection) = (name[..(at + Stack.Length)], name[(at + Stack.Length)..]);
        return projection == "gate_up_proj" ? [$"{before}0.gate_proj", $"{before}0.up_proj"] : [$"{before}0.{projection}"];
    }
}
