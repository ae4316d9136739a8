using System.Runtime.InteropServices;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch;
using Plimsoll.Torch.Native;
using Plimsoll.Torch.Running;

// One job on stdin (plimsoll.training-job/1), events as JSON lines on stdout. The exit codes are those of plimsoll.
const int Done = 0, WrongUsage = 2, BadInput = 3, NoEnvironment = 4, Interrupted = 130;

string? library = null;
if (args is [.. var rest, "--libtorch", var folder])
    (args, library) = (rest, folder);
if (args is not (["train"] or ["--check"]))
{
    Console.Error.WriteLine("usage: plimsoll-torch train < JOB.json | plimsoll-torch --check [--libtorch DIR]; 'plimsoll train' starts it");
    return WrongUsage;
}
using var interruption = new CancellationTokenSource();
using var control = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var request = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
try
{
    TorchLibrary.Load(library);
    if (args is ["--check"])
    {
        Console.WriteLine(TorchCheck.Describe());
        return Done;
    }
    using var input = new MemoryStream();
    using (var stdin = Console.OpenStandardInput())
        stdin.CopyTo(input);
    ProcessMeter.ReturnFreedMemory();
    TrainingRun.Execute(TrainingJobJson.Read(input.ToArray()), Report, interruption.Token);
    return Done;
}
catch (TorchUnavailableException failure)
{
    return Fail(failure.Message, failure.Hint, NoEnvironment);
}
catch (TrainingRefusedException failure)
{
    return Fail(failure.Message, failure.Hint, BadInput);
}
catch (Exception failure) when (failure is JsonException or CheckpointFormatException or UnknownArchitectureException or FileNotFoundException or DirectoryNotFoundException)
{
    return Fail(failure.Message, null, BadInput);
}
catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
{
    return Fail(failure.Message, null, NoEnvironment);
}
catch (OperationCanceledException)
{
    return Interrupted;
}

static void Report(TrainingEvent occurrence) => Console.Out.WriteLine(TrainingEventJson.Write(occurrence));

static int Fail(string message, string? hint, int code)
{
    Report(new TrainingFailed(message, hint));
    return code;
}

void Interrupt(PosixSignalContext context)
{
    context.Cancel = !interruption.IsCancellationRequested;
    interruption.Cancel();
}
