using Spectre.Console;

namespace Plimsoll.Cli;

/// <summary>Where a command writes: the answer to <see cref="Out"/>, the talk to <see cref="Error"/>. Nothing else touches the console.</summary>
internal sealed class Terminal
{
    private readonly Lazy<IAnsiConsole> rich;

    public Terminal(TextWriter output, TextWriter error, bool color, int width)
    {
        Out = new PrintableText.Writer(output);
        Error = new PrintableText.Writer(error);
        Width = width;
        rich = new(() => CreateConsole(output, color, width));
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public int Width { get; }

    /// <summary>Tables and colour on <see cref="Out"/>. Created on first use: a command that answers in JSON never pays for it.</summary>
    public IAnsiConsole Rich => rich.Value;

    private static IAnsiConsole CreateConsole(TextWriter output, bool color, int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = color ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = color ? ColorSystemSupport.EightBit : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Pipeline.Attach(new PrintableText.Hook());
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }
}
