using System.CommandLine;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Formats;

/// <summary><c>plimsoll formats</c>: the table of number formats, one format in detail, or one number walked through a format.</summary>
internal static class FormatsCommand
{
    private static readonly Argument<string?> Name = new("NAME")
    {
        Description = "a format, an alias or a part of a name (bf16, e4m3, q4_k, iq); all formats when left out",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "formats",
            """
            Every number format: bits per weight, block layout, range, published quality loss, and which engines read it.

            Examples:
              plimsoll formats
              plimsoll formats q4_k
              plimsoll formats explain int8 0.0234375 --range -1,1
              plimsoll formats explain fp16 70000
            """)
        {
            Name,
        };
        command.Subcommands.Add(FormatsExplain.Create(environment));
        command.SetAction(parsed =>
        {
            var found = Select(parsed.GetValue(Name), out var mix);
            var terminal = CliApplication.CreateTerminal(parsed, environment);
            if (parsed.GetValue(GlobalOptions.Json))
                FormatsJson.Write(terminal.Out, found);
            else if (found is [var single])
                FormatsTable.WriteOne(terminal, single, mix);
            else
                FormatsTable.WriteAll(terminal, found);
            return ExitCode.Yes;
        });
        return command;
    }

    /// <summary>The format of that name; else the one that a GGUF file type mostly consists of; else every format whose names contain the text.</summary>
    private static IReadOnlyList<NumberFormat> Select(string? name, out string? mix)
    {
        mix = null;
        if (name is null)
            return NumberFormats.All;
        if (NumberFormats.Find(name) is { } exact)
            return [exact];
        if (PublishedQuality.Llama3.FirstOrDefault(row => row.FileType.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } row)
        {
            mix = row.FileType;
            return [NumberFormats.Find(row.MainFormat)!];
        }
        var part = name.Trim().Replace('-', '_');
        var containing = NumberFormats.All
            .Where(format => part.Length > 0 && format.Aliases.Append(format.Name).Any(known => known.Contains(part, StringComparison.OrdinalIgnoreCase)))
            .ToList();
        return containing.Count > 0 ? containing : throw Unknown(name);
    }

    /// <summary>The refusal of a name that no format has.</summary>
    public static CliException Unknown(string name)
    {
        var closest = ClosestNames.Find(name.Replace('-', '_'), NumberFormats.Names.Concat(PublishedQuality.Llama3.Select(row => row.FileType)));
        return CliException.WrongUsage(
            $"'{name}' is not a number format that is known here",
            closest.Count > 0 ? $"did you mean {string.Join(", ", closest)}? 'plimsoll formats' lists them all" : "'plimsoll formats' lists them all");
    }
}
