using System.CommandLine;
using Plimsoll.Diagnostics.Growth;
using Plimsoll.Diagnostics.Growth.Readers;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Diagnose;

/// <summary><c>plimsoll diagnose</c> of memory over time.</summary>
internal static class DiagnoseGrowth
{
    internal static readonly Option<string?> Ceiling = new("--ceiling") { Description = "memory over time: where it must end, as 24GiB; default: the total that the file states" };

    /// <summary>The exit code; null where the text holds no series.</summary>
    public static int? Run(ParseResult parsed, CliEnvironment environment, string text)
    {
        var series = Read(text);
        if (series.Count == 0)
            return null;
        if (CeilingBytes(parsed.GetValue(Ceiling)) is { } ceiling)
            series = [.. series.Select(one => one with { CeilingBytes = ceiling })];
        var diagnosis = GrowthDiagnosis.Of(series);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            GrowthJson.Write(terminal.Out, diagnosis);
        else
            GrowthTable.Write(terminal, diagnosis);
        return diagnosis.IsProblem ? ExitCode.No : ExitCode.Yes;
    }

    public static long? CeilingBytes(string? text)
    {
        if (text is null)
            return null;
        return ByteSize.TryParse(text, out var size) && size.Bytes > 0 ? size.Bytes : throw CliException.WrongUsage($"--ceiling {text}: a size is expected, such as 24GiB");
    }

    private static IReadOnlyList<MemorySeries> Read(string text)
    {
        try
        {
            return SeriesReader.Read(text);
        }
        catch (SeriesFormatException failure)
        {
            throw CliException.BadInput(failure.Message, "log memory too: nvidia-smi --query-gpu=timestamp,index,memory.used,memory.total --format=csv -l 1");
        }
    }
}
