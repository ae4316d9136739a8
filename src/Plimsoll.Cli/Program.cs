using System.Runtime.InteropServices;
using Plimsoll.Cli;

using var interruption = new CancellationTokenSource();
using var control = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var request = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
return CliApplication.Run(args, CliEnvironment.System with { Interrupted = interruption.Token });

// The first signal asks the command to tidy up and end; a second one ends the process at once.
void Interrupt(PosixSignalContext context)
{
    context.Cancel = !interruption.IsCancellationRequested;
    interruption.Cancel();
}
