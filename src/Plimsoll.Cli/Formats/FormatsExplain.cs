using System.CommandLine;
using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Explanations;
using Spectre.Console;

namespace Plimsoll.Cli.Formats;

/// <summary><c>plimsoll formats explain FORMAT VALUE</c>: one number through quantize and dequantize.</summary>
internal static class FormatsExplain
{
    private static readonly Argument<string> First = new("FORMAT") { Description = "a number format, for example int8, bf16, e4m3, q4_0, nf4" };
    private static readonly Argument<string> Second = new("VALUE") { Description = "the number to store; FORMAT and VALUE may change places" };
    private static readonly Option<string?> Range = new("--range") { Description = "smallest and largest weight, MIN,MAX; for a block format those of the block" };
    private static readonly Option<string?> Scale = new("--scale") { Description = "the scale, when it is known" };
    private static readonly Option<string?> ZeroPoint = new("--zero-point") { Description = "the code of zero that goes with --scale (integers)" };
    private static readonly Option<bool> Symmetric = new("--symmetric") { Description = "zero is the code 0 (default for signed integers)" };
    private static readonly Option<bool> Asymmetric = new("--asymmetric") { Description = "the range uses every code (default for unsigned integers)" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "explain",
            """
            Walks one number through a format: scale, rounding, the stored code, the number that comes back, and the error.

            Examples:
              plimsoll formats explain int8 0.0234375 --range -1,1
              plimsoll formats explain uint4 0.3 --range -0.5,1
              plimsoll formats explain fp16 70000
              plimsoll formats explain q4_0 0.3 --range -1,0.8
            """)
        {
            First, Second, Range, Scale, ZeroPoint, Symmetric, Asymmetric,
        };
        command.SetAction(parsed =>
        {
            var (format, value) = Subject(parsed.GetRequiredValue(First), parsed.GetRequiredValue(Second));
            var terminal = CliApplication.CreateTerminal(parsed, environment);
            NumberExplanation explanation;
            try
            {
                explanation = NumberExplanation.Of(format, value, Options(parsed));
            }
            catch (ExplanationRefusedException refused)
            {
                throw CliException.WrongUsage(refused.Message, refused.Hint);
            }
            if (parsed.GetValue(GlobalOptions.Json))
                FormatsJson.Write(terminal.Out, explanation);
            else
                Write(terminal, explanation);
            return ExitCode.Yes;
        });
        return command;
    }

    /// <summary>FORMAT VALUE, or VALUE FORMAT: no format has a name that is a number.</summary>
    private static (NumberFormat Format, double Value) Subject(string first, string second)
    {
        if (NumberFormats.Find(first) is { } format)
            return (format, Number(second, "value"));
        if (NumberFormats.Find(second) is { } swapped)
            return (swapped, Number(first, "value"));
        if (!IsNumber(first))
            throw FormatsCommand.Unknown(first);
        throw IsNumber(second)
            ? CliException.WrongUsage($"neither '{first}' nor '{second}' is a number format", "plimsoll formats explain FORMAT VALUE, for example: plimsoll formats explain fp16 70000")
            : FormatsCommand.Unknown(second);
    }

    private static ExplanationOptions Options(ParseResult parsed)
    {
        var (symmetric, asymmetric) = (parsed.GetValue(Symmetric), parsed.GetValue(Asymmetric));
        if (symmetric && asymmetric)
            throw CliException.WrongUsage("--symmetric and --asymmetric contradict each other", "give only one of them");
        return new()
        {
            Range = parsed.GetValue(Range) is { } range ? Bounds(range) : null,
            Scale = parsed.GetValue(Scale) is { } scale ? Number(scale, "scale") : null,
            ZeroPoint = parsed.GetValue(ZeroPoint) is { } zero ? Whole(zero) : null,
            Symmetric = symmetric ? true : asymmetric ? false : null,
        };
    }

    private static (double Minimum, double Maximum) Bounds(string text)
    {
        var parts = text.Split(',');
        if (parts.Length != 2)
            throw CliException.WrongUsage($"'{text}' is not a range", "write --range MIN,MAX with a decimal point, for example --range -1,1");
        var (minimum, maximum) = (Number(parts[0], "range"), Number(parts[1], "range"));
        return minimum <= maximum ? (minimum, maximum) : throw CliException.WrongUsage($"the range '{text}' runs backwards", $"write --range {parts[1]},{parts[0]}");
    }

    private static double Number(string text, string what)
    {
        if (!IsNumber(text))
            throw CliException.WrongUsage($"the {what} '{text}' is not a number", "write it with a decimal point, for example 0.0234375 or 6.5e4");
        var value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (double.IsNaN(value))
            throw CliException.WrongUsage($"the {what} is NaN, which is not a number that can be rounded");
        return double.IsFinite(value) ? value : throw CliException.WrongUsage($"the {what} '{text}' is larger than any double", $"the largest is {double.MaxValue.ToString("R", CultureInfo.InvariantCulture)}");
    }

    private static int Whole(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw CliException.WrongUsage($"the zero point '{text}' is not a whole number", "a zero point is a code, for example 128");

    private static bool IsNumber(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static void Write(Terminal terminal, NumberExplanation explanation)
    {
        terminal.Rich.WriteLine($"{NumberExplanation.Text(explanation.Value)} in {explanation.Format.Name} ({explanation.Format.Summary})");
        terminal.Rich.WriteLine();
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var step in explanation.Steps)
            grid.AddRow(new Text(step.Name.Replace('_', ' ')), new Text(step.Text), new Text(step.Formula));
        if (explanation.AbsoluteError is { } error)
            grid.AddRow(new Text("absolute error"), new Text(NumberExplanation.Text(error)), new Text("|dequantized − x|"));
        if (explanation.RelativeError is { } relative)
            grid.AddRow(new Text("relative error"), new Text((100 * relative).ToString("G4", CultureInfo.InvariantCulture) + " %"), new Text("|dequantized − x| / |x|"));
        terminal.Rich.Write(grid);
        terminal.Rich.WriteLine();
        terminal.Rich.WriteLine(explanation.Verdict);
    }
}
