using System.ComponentModel;
using System.Diagnostics;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Cli.Train;

/// <summary><c>plimsoll-torch</c>, the program that trains: where it is, and how it is started.</summary>
/// <remarks>It is a program of its own because libtorch is a hundred times as large as all of Plimsoll (docs/decisions).</remarks>
internal sealed class TorchProgram
{
    /// <summary>The variable that names the program, for those who keep it elsewhere.</summary>
    public const string Variable = "PLIMSOLL_TORCH";

    private const string Name = "plimsoll-torch";

    /// <summary>How long an interrupted program may take to tidy up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string path;

    private TorchProgram(string path) => this.path = path;

    /// <summary>Looks at the variable, beside this program, on the PATH, and in the source tree that this program was built in.</summary>
    /// <exception cref="CliException">It is nowhere.</exception>
    public static TorchProgram Find(CliEnvironment environment) => Places(environment).FirstOrDefault(File.Exists) is { } found
        ? new(found)
        : throw CliException.Environment($"training is done by {Name}, which is not installed", Installation(environment));

    /// <summary>Gives it a job, and hands on what it reports.</summary>
    /// <param name="library">The <c>lib</c> folder of another libtorch; null for its own.</param>
    /// <returns>Its exit code.</returns>
    /// <exception cref="CliException">It cannot be started.</exception>
    public int Train(TrainingJob job, string? library, Action<TrainingEvent> report, CliEnvironment environment)
    {
        using var process = Start(["train"], library);
        using var errors = new ManualResetEventSlim();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                errors.Set();
            else
                environment.Error.WriteLine(line.Data);
        };
        process.BeginErrorReadLine();
        using (var input = process.StandardInput.BaseStream)
            TrainingJobJson.Write(input, job);
        // A terminal interrupts both programs; this one waits for the other to keep what it has.
        using var interruption = environment.Interrupted.Register(() => Task.Delay(Patience).ContinueWith(_ => End(process), TaskScheduler.Default));
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (TrainingEventJson.Read(line) is { } occurrence)
                report(occurrence);
        }
        process.WaitForExit();
        errors.Wait();
        return process.ExitCode;
    }

    /// <summary>The one command that gets it.</summary>
    private static string Installation(CliEnvironment environment) =>
        SourceTree(environment) is { } root ? $"dotnet build -c Release {Path.Combine(root, "src", "Plimsoll.Torch")}" : "dotnet tool install --global Plimsoll.Torch";

    /// <summary>What it says of itself, and whether that is good.</summary>
    public (bool Works, string Text) Check(string? library)
    {
        using var process = Start(["--check"], library);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        var failure = TrainingEventJson.Read(output) as TrainingFailed;
        return (process.ExitCode == 0, failure is not null ? $"{failure.Message}{(failure.Hint is null ? "" : $"; {failure.Hint}")}" : output.Length > 0 ? output : error.Result.Trim());
    }

    private Process Start(string[] arguments, string? library)
    {
        var start = new ProcessStartInfo(path, library is null ? arguments : [.. arguments, "--libtorch", Path.GetFullPath(library)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception failure)
        {
            throw CliException.Environment($"{path} cannot be started: {failure.Message}");
        }
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    private static IEnumerable<string> Places(CliEnvironment environment)
    {
        if (environment.Variable(Variable) is { Length: > 0 } named)
            return [named];
        var folders = new List<string>();
        if (environment.ProgramFolder is { } beside)
            folders.Add(beside);
        folders.AddRange((environment.Variable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        if (SourceTree(environment) is { } root)
            folders.AddRange(new[] { "release", "debug" }.Select(kind => Path.Combine(root, "artifacts", "bin", "Plimsoll.Torch", kind)));
        return folders.Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? Name + ".exe" : Name));
    }

    /// <summary>The checkout that this program was built in; null for an installed one.</summary>
    private static string? SourceTree(CliEnvironment environment)
    {
        for (var folder = environment.ProgramFolder; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Plimsoll.slnx")))
                return folder;
        }
        return null;
    }
}
