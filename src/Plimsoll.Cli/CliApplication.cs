using System.CommandLine;
using System.CommandLine.Parsing;
using Plimsoll.Checkpoints;
using Plimsoll.Cli.Accuracy;
using Plimsoll.Cli.Bench;
using Plimsoll.Cli.Calibrate;
using Plimsoll.Cli.Diagnose;
using Plimsoll.Cli.Doctor;
using Plimsoll.Cli.Eval;
using Plimsoll.Cli.Fit;
using Plimsoll.Cli.Formats;
using Plimsoll.Cli.Gpus;
using Plimsoll.Cli.Inspect;
using Plimsoll.Cli.Models;
using Plimsoll.Cli.Plan;
using Plimsoll.Cli.Quantize;
using Plimsoll.Cli.Run;
using Plimsoll.Cli.Tokenize;
using Plimsoll.Cli.Train;
using Plimsoll.Cli.Watch;

namespace Plimsoll.Cli;

/// <summary>The command line as a function: arguments and an environment in, an exit code out.</summary>
internal static class CliApplication
{
    public static int Run(string[] args, CliEnvironment environment)
    {
        environment = environment with { Error = new PrintableText.Writer(environment.Error) };
        var parsed = CreateRoot(environment).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                environment.Error.WriteLine($"plimsoll: {error.Message}");
            environment.Error.WriteLine($"Try '{Path(parsed.CommandResult)} --help'.");
            return ExitCode.WrongUsage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = environment.Out, Error = environment.Error, EnableDefaultExceptionHandler = false });
        }
        catch (CliException failure)
        {
            environment.Error.WriteLine($"plimsoll: {failure.Message}");
            if (failure.Hint is { } hint)
                environment.Error.WriteLine($"  {hint}");
            return failure.ExitCode;
        }
        catch (CheckpointFormatException failure)
        {
            environment.Error.WriteLine($"plimsoll: {failure.Message}");
            return ExitCode.BadInput;
        }
        catch (OperationCanceledException) when (environment.Interrupted.IsCancellationRequested)
        {
            environment.Error.WriteLine("plimsoll: interrupted");
            return ExitCode.Interrupted;
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
        {
            environment.Error.WriteLine($"plimsoll: {failure.Message}");
            return failure is FileNotFoundException or DirectoryNotFoundException ? ExitCode.BadInput : ExitCode.Environment;
        }
        catch (OutOfMemoryException)
        {
            environment.Error.WriteLine("plimsoll: the system gave no more memory, though the machine may have some: a limit of the process (ulimit -v) or a full page file");
            environment.Error.WriteLine("  raise the limit, or take a smaller model, context or batch");
            return ExitCode.Environment;
        }
        catch (Exception failure)
        {
            environment.Error.WriteLine($"plimsoll: this is our bug, please report it: {failure}");
            return ExitCode.Bug;
        }
    }

    /// <summary>The commands and options as declared; nothing is read or run yet.</summary>
    public static RootCommand CreateRoot(CliEnvironment environment)
    {
        var root = new RootCommand("Tells whether a language model fits a GPU, with every byte explained.");
        foreach (var option in GlobalOptions.All)
            root.Options.Add(option);
        foreach (var command in Commands(environment))
            root.Subcommands.Add(command);
        return root;
    }

    /// <summary>The command as it was typed, sub-command included.</summary>
    private static string Path(CommandResult command) => command.Parent is CommandResult parent ? $"{Path(parent)} {command.Command.Name}" : "plimsoll";

    /// <summary>Every command, in the order of the help page.</summary>
    private static IEnumerable<Command> Commands(CliEnvironment environment)
    {
        yield return PlanCommand.Create(environment);
        yield return FitCommand.Create(environment);
        yield return GpusCommand.Create(environment);
        yield return ModelsCommand.Create(environment);
        yield return QuantizeCommand.Create(environment);
        yield return CalibrateCommand.Create(environment);
        yield return InspectCommand.Create(environment);
        yield return EvalCommand.Create(environment);
        yield return TokenizeCommand.Create(environment);
        yield return RunCommand.Create(environment);
        yield return TrainCommand.Create(environment);
        yield return FormatsCommand.Create(environment);
        yield return DiagnoseCommand.Create(environment);
        yield return WatchCommand.Create(environment);
        yield return DoctorCommand.Create(environment);
        yield return BenchCommand.Create(environment);
        yield return AccuracyCommand.Create(environment);
    }

    /// <summary>The terminal of one invocation: colour only where someone looks and nobody asked for none.</summary>
    public static Terminal CreateTerminal(ParseResult parsed, CliEnvironment environment)
    {
        var color = environment.OutputIsTerminal
            && !parsed.GetValue(GlobalOptions.NoColor)
            && string.IsNullOrEmpty(environment.Variable("NO_COLOR"))
            && string.IsNullOrEmpty(environment.Variable("CI"))
            && environment.Variable("TERM") != "dumb";
        var error = parsed.GetValue(GlobalOptions.Quiet) ? TextWriter.Null : environment.Error;
        return new(environment.Out, error, color, environment.Width);
    }
}
