using System.Text;

namespace Plimsoll.Cli.Tests.Documentation;

/// <summary>Runs the command lines that the documentation shows, in this process and without network.</summary>
internal static class Shell
{
    /// <summary>Tests that write the same pages run one after another.</summary>
    public const string Collection = "documentation";

    private const string First = " | head -n 1";

    /// <summary>The ways in which a page may call the tool.</summary>
    private static readonly string[] Callers = ["plimsoll ", "dotnet run -c Release --project src/Plimsoll.Cli -- "];

    /// <summary>The arguments of a line such as <c>plimsoll plan 7b --gpu "2x rtx-3090"</c>; null when it does not call the tool.</summary>
    public static string[]? Arguments(string line) =>
        Callers.FirstOrDefault(caller => line.StartsWith(caller, StringComparison.Ordinal)) is { } caller ? Split(line[caller.Length..]) : null;

    /// <summary>What the tool prints for the line, which may end in <c>| grep -F 'text'</c> and <c>| head -n 1</c>.</summary>
    public static string Print(string line)
    {
        var pipe = line.Replace(First, "", StringComparison.Ordinal).Split(" | grep -F ", 2);
        var run = CommandRun.Of(InRepository(Arguments(pipe[0]) ?? throw new ArgumentException($"not a call of plimsoll: {line}")));
        Assert.True(run.ExitCode is 0 or 1, $"{line}\n{run.Error}");
        var lines = run.Output.ReplaceLineEndings("\n").Split('\n').Select(text => text.TrimEnd());
        if (pipe.Length == 2)
            lines = lines.Where(text => text.Contains(Split(pipe[1]).Single(), StringComparison.Ordinal));
        return string.Join('\n', line.EndsWith(First, StringComparison.Ordinal) ? lines.Take(1) : lines).TrimEnd() + "\n";
    }

    /// <summary>The command is given where a reader stands who has the repository before him.</summary>
    public static string[] InRepository(string[] arguments) =>
        [.. arguments.Select(word => word.StartsWith("docs/", StringComparison.Ordinal) && Repository.Has(word) ? Path.Combine(Repository.Root, word) : word)];

    /// <summary>Words as a shell would split them; single and double quotes hold blanks together.</summary>
    private static string[] Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        char? quote = null;
        foreach (var letter in line.Trim() + " ")
        {
            if (letter == quote)
                quote = null;
            else if (quote is null && letter is '"' or '\'')
                quote = letter;
            else if (quote is null && letter == ' ')
            {
                if (word.Length > 0)
                    words.Add(word.ToString());
                word.Clear();
            }
            else
                word.Append(letter);
        }
        return [.. words];
    }
}
