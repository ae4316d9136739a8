namespace Plimsoll.Cli.Tests;

public class PrintableTextTests
{
    /// <summary>A colour change, a bell, and the one-character form of ESC [.</summary>
    private const string Hostile = "\\u001b[31mred\\u0007\\u009b2J";

    [Theory]
    [InlineData("")]
    [InlineData("--assume llama")]
    [InlineData("--assume llama --json")]
    public void Control_characters_of_a_file_never_reach_the_terminal(string options)
    {
        using var folder = new TemporaryFolder();
        folder.Write("config.json", $$"""
            {"model_type":"{{Hostile}}","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,"intermediate_size":128}
            """);
        var run = CommandRun.Of(["plan", folder.Path, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        var text = run.Output + run.Error;
        Assert.Contains("red", text, StringComparison.Ordinal);
        Assert.DoesNotContain(text, letter => char.IsControl(letter) && letter is not ('\n' or '\r'));
    }

    [Fact]
    public void Ordinary_text_stays_as_it_is() => Assert.Equal("a\tb\r\nä … 例", PrintableText.Clean("a\tb\r\nä … 例"));

    [Fact]
    public void Our_own_colours_stay()
    {
        var output = new StringWriter();
        new Terminal(output, TextWriter.Null, color: true, width: 80).Rich.Write(new Spectre.Console.Markup("[red]FITS \u001b[[2J[/]"));
        Assert.StartsWith("\u001b[", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("FITS \ufffd[2J", output.ToString(), StringComparison.Ordinal);
    }
}
