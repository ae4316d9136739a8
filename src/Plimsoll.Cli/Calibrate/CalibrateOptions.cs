using System.CommandLine;

namespace Plimsoll.Cli.Calibrate;

/// <summary>The options of whatever runs a text through a model to learn what its layers are given.</summary>
internal static class CalibrateOptions
{
    /// <summary>The text that the model writes itself.</summary>
    public const string Self = "self";

    public static readonly Option<string> Text = new("--text", "-f") { Description = "a text file in UTF-8, or self: text that the model writes", HelpName = "FILE", Required = true };
    public static readonly Option<int?> Context = OptionValues.Count("--context", "tokens of a chunk of the text; 512, or fewer where the model holds fewer", minimum: 4);
    public static readonly Option<int?> Chunks = OptionValues.Count("--chunks", "chunks of the text to use; all that the text fills when left out, 32 of self");

    /// <summary>How much of the text is taken.</summary>
    public static IReadOnlyList<Option> Lengths => [Context, Chunks];
}
