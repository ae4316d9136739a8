using System.Text.Json;

namespace Plimsoll.Cli.Tests;

/// <summary>One invocation of the command line with an environment of its own.</summary>
internal sealed class CommandRun
{
    private CommandRun(int exitCode, string output, string error)
    {
        ExitCode = exitCode;
        Output = output;
        Error = error;
    }

    public int ExitCode { get; }

    public string Output { get; }

    public string Error { get; }

    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static CommandRun Of(params string[] args) => Of(new Dictionary<string, string>(), args);

    /// <summary>Runs with these environment variables only: no configuration, no token, no cache of the machine is seen.</summary>
    public static CommandRun Of(Dictionary<string, string> variables, params string[] args) => Run(environment => environment, variables, args);

    /// <summary>Runs with these bytes piped in.</summary>
    public static CommandRun WithInput(byte[] input, params string[] args) => Of(environment => environment with { OpenInput = () => new MemoryStream(input) }, args);

    /// <summary>Runs in an environment that differs from the usual one of tests.</summary>
    public static CommandRun Of(Func<CliEnvironment, CliEnvironment> change, params string[] args) => Run(change, [], args);

    private static CommandRun Run(Func<CliEnvironment, CliEnvironment> change, Dictionary<string, string> variables, string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var home = Path.Combine(Path.GetTempPath(), "plimsoll-no-home");
        var exitCode = CliApplication.Run(args, change(new()
        {
            Out = output,
            Error = error,
            OpenInput = () => new MemoryStream(),
            Variable = name => variables.GetValueOrDefault(name) ?? (name == "HOME" ? home : null),
        }));
        return new(exitCode, output.ToString(), error.ToString());
    }
}
