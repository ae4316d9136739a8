using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plimsoll.Checkpoints.Tokenizers.Splitting;

/// <summary>A <c>pre_tokenizer</c> of tokenizer.json.</summary>
/// <param name="SpacePrefix">Put before a text: a space (<c>ByteLevel</c>) or <c>▁</c> (<c>Metaspace</c>); empty for none.</param>
/// <param name="IsPrefixFirstOnly">Only before the whole text, not before each part between added tokens.</param>
/// <param name="ReplacesSpaces">Spaces become <c>▁</c> (<c>Metaspace</c>).</param>
/// <param name="JoinsWords">White space between words becomes one space, around them none (<c>WhitespaceSplit</c> before <c>Metaspace</c>).</param>
internal sealed record PreTokenizerSteps(ImmutableArray<SplitStep> Steps, string SpacePrefix = "", bool IsPrefixFirstOnly = false, bool ReplacesSpaces = false, bool JoinsWords = false)
{
    private const string Meta = "▁";

    /// <exception cref="CheckpointFormatException">A step that we do not know.</exception>
    public static PreTokenizerSteps Parse(string path, JsonElement? root) => new Parser(path).Run(root);

    public static bool TryParse(JsonElement? root, [NotNullWhen(true)] out PreTokenizerSteps? steps)
    {
        try
        {
            steps = Parse("", root);
            return true;
        }
        catch (CheckpointFormatException)
        {
            steps = null;
            return false;
        }
    }

    private sealed class Parser(string path)
    {
        private readonly ImmutableArray<SplitStep>.Builder _steps = ImmutableArray.CreateBuilder<SplitStep>();
        private string _prefix = "";
        private bool _isFirstOnly;
        private bool _replaces;
        private bool _joins;
        private bool _isBytes;

        public PreTokenizerSteps Run(JsonElement? root)
        {
            try
            {
                if (root is { } step)
                    Add(step);
            }
            catch (Exception failure) when (failure is InvalidOperationException or KeyNotFoundException)
            {
                throw new CheckpointFormatException(path, null, "a pre_tokenizer as the tokenizers library writes it", failure.Message, failure);
            }
            return new(_steps.ToImmutable(), _prefix, _isFirstOnly, _replaces, _joins);
        }

        private void Add(JsonElement step)
        {
            switch (step.GetProperty("type").GetString())
            {
                case "Sequence":
                    foreach (var inner in step.GetProperty("pretokenizers").EnumerateArray())
                        Add(inner);
                    break;
                case "ByteLevel":
                    if (Flag(step, "add_prefix_space", true))
                        _prefix = _steps.Count == 0 ? " " : throw Unknown("a prefix only before the first split", "one before a ByteLevel step further down");
                    if (Flag(step, "use_regex", true))
                        Add(SplitPatterns.Gpt2);
                    _isBytes = true;
                    break;
                case "Split":
                    AddSplit(step);
                    break;
                case "Punctuation":
                    Add(SplitPatterns.Punctuation, Behavior(step));
                    break;
                case "Digits":
                    Add(Flag(step, "individual_digits", false) ? SplitPatterns.Digit : SplitPatterns.Digits);
                    break;
                case "Whitespace":
                    Add(SplitPatterns.WordsAndSymbols, SplitBehavior.Removed, inverts: true);
                    break;
                case "WhitespaceSplit":
                    Add(SplitPatterns.Space, SplitBehavior.Removed);
                    break;
                case "BertPreTokenizer":
                    Add(SplitPatterns.Space, SplitBehavior.Removed);
                    Add(SplitPatterns.Punctuation);
                    break;
                case "CharDelimiterSplit":
                    Add(Regex.Escape(step.GetProperty("delimiter").GetString()!), SplitBehavior.Removed);
                    break;
                case "Metaspace":
                    AddMetaspace(step);
                    break;
                case var other:
                    throw Unknown("a pre_tokenizer that we know (ByteLevel, Split, Metaspace, Digits, Punctuation, Whitespace …)", $"'{other}'");
            }
        }

        private void Add(string pattern, SplitBehavior behavior = SplitBehavior.Isolated, bool inverts = false) =>
            _steps.Add(new(pattern, behavior, inverts, _isBytes));

        private void AddSplit(JsonElement step)
        {
            var pattern = step.GetProperty("pattern");
            var text = pattern.TryGetProperty("Regex", out var regex) ? regex.GetString()! : Regex.Escape(pattern.GetProperty("String").GetString()!);
            try
            {
                _ = SplitPatterns.Compile(text);
            }
            catch (ArgumentException failure)
            {
                throw new CheckpointFormatException(path, null, "a pattern that can be compiled", $"'{text}' ({failure.Message})", failure);
            }
            Add(text, Behavior(step), Flag(step, "invert", false));
        }

        /// <summary>Older files have <c>add_prefix_space</c> where newer ones have <c>prepend_scheme</c>.</summary>
        private void AddMetaspace(JsonElement step)
        {
            if (step.TryGetProperty("replacement", out var replacement) && replacement.GetString() != Meta)
                throw Unknown($"'{Meta}' as the replacement of a Metaspace step", $"'{replacement}'");
            var scheme = step.TryGetProperty("prepend_scheme", out var given) ? given.GetString() : Flag(step, "add_prefix_space", true) ? "always" : "never";
            // Each word gets a prefix of its own there: as much as white space between words being one of them.
            if (_steps is [{ Pattern: SplitPatterns.Space, Behavior: SplitBehavior.Removed }])
            {
                _steps.Clear();
                _joins = true;
            }
            if (_steps.Count > 0 && scheme != "never" || _joins && scheme != "always")
                throw Unknown("a Metaspace step that begins, or adds a prefix to each word behind WhitespaceSplit", $"one with prepend_scheme '{scheme}' further down");
            _replaces = true;
            _prefix = scheme == "never" ? "" : Meta;
            _isFirstOnly = scheme == "first";
            if (Flag(step, "split", true))
                Add(Meta, SplitBehavior.MergedWithNext);
        }

        private SplitBehavior Behavior(JsonElement step) => step.TryGetProperty("behavior", out var behavior) ? behavior.GetString() switch
        {
            "Isolated" => SplitBehavior.Isolated,
            "Removed" => SplitBehavior.Removed,
            "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
            "MergedWithNext" => SplitBehavior.MergedWithNext,
            "Contiguous" => SplitBehavior.Contiguous,
            var other => throw Unknown("a behavior that we know", $"'{other}'"),
        } : SplitBehavior.Isolated;

        private static bool Flag(JsonElement step, string name, bool otherwise) => step.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.True : otherwise;

        private CheckpointFormatException Unknown(string expected, string found) => new(path, null, expected, found);
    }
}
