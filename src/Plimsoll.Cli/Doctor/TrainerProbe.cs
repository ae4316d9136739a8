using Plimsoll.Cli.Train;
using Plimsoll.Diagnostics.Hardware;

namespace Plimsoll.Cli.Doctor;

/// <summary>Asks the program that trains whether its libtorch can be loaded.</summary>
internal static class TrainerProbe
{
    public static TrainerFacts Ask(CliEnvironment environment)
    {
        TorchProgram program;
        try
        {
            program = TorchProgram.Find(environment);
        }
        catch (CliException missing)
        {
            return new(false, false, missing.Message, missing.Hint);
        }
        try
        {
            var (works, text) = program.Check(library: null);
            return new(true, works, text.ReplaceLineEndings("; "), works ? null : "name a libtorch of this machine: plimsoll train --libtorch FOLDER, or install the program anew");
        }
        catch (CliException failure)
        {
            return new(true, false, failure.Message, failure.Hint);
        }
    }
}
