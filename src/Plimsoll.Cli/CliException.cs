namespace Plimsoll.Cli;

/// <summary>Ends a command with a sentence for the user and an exit code.</summary>
internal sealed class CliException(int exitCode, string message, string? hint = null) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>The next step, printed on a line of its own.</summary>
    public string? Hint { get; } = hint;

    public static CliException WrongUsage(string message, string? hint = null) => new(Cli.ExitCode.WrongUsage, message, hint);

    public static CliException BadInput(string message, string? hint = null) => new(Cli.ExitCode.BadInput, message, hint);

    public static CliException Environment(string message, string? hint = null) => new(Cli.ExitCode.Environment, message, hint);
}
