using System.CommandLine;

namespace Plimsoll.Cli;

/// <summary>The options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<bool> Json = new("--json") { Description = "answer in JSON on stdout", Recursive = true };
    public static readonly Option<bool> NoColor = new("--no-color") { Description = "plain text (also NO_COLOR, TERM=dumb)", Recursive = true };
    public static readonly Option<bool> Quiet = new("--quiet") { Description = "no talk on stderr", Recursive = true };
    public static readonly Option<bool> Verbose = new("--verbose") { Description = "more talk on stderr", Recursive = true };

    public static IReadOnlyList<Option> All => [Json, NoColor, Quiet, Verbose];
}
