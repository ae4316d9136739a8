namespace Plimsoll.Cli;

/// <summary>What the process says to its caller.</summary>
internal static class ExitCode
{
    /// <summary>Yes, or done.</summary>
    public const int Yes = 0;

    /// <summary>The answer is no: it does not fit, a gate failed, a problem was found.</summary>
    public const int No = 1;

    public const int WrongUsage = 2;

    public const int BadInput = 3;

    /// <summary>The environment lacks something: network, permission, driver.</summary>
    public const int Environment = 4;

    public const int Bug = 70;

    /// <summary>Ctrl-C: 128 and the number of the signal, as shells have it.</summary>
    public const int Interrupted = 130;
}
