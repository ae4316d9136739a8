using System.CommandLine;
using System.Globalization;
using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Cli.Tokenize;

/// <summary><c>plimsoll tokenize</c>: text into the tokens of a model, or ids into text.</summary>
internal static class TokenizeCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "a folder, a GGUF file, or a tokenizer file (tokenizer.json, tokenizer.model, vocab.json …)" };
    private static readonly Option<string?> Text = new("--text", "-t") { Description = "the text; without it and --file, stdin is read", HelpName = "TEXT" };
    private static readonly Option<string?> FileName = new("--file", "-f") { Description = "a text file in UTF-8", HelpName = "FILE" };
    private static readonly Option<string[]> Ids = new("--ids") { Description = "ids to turn into text, with commas or spaces between", HelpName = "IDS", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<bool> NoSpecial = new("--no-special") { Description = "leave out what the model wants around a text (bos, eos)" };
    private static readonly Option<bool> ParseSpecial = new("--parse-special") { Description = "find tokens that steer the model (<|eot_id|>) in the text" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command("tokenize", """
            The tokens of a text as a model sees it: ids, pieces, their number. With --ids the other way round.

            Examples:
              plimsoll tokenize ./llama-3.1-8b --text "Hello, world"
              plimsoll tokenize model.gguf --file prompt.txt --json
              plimsoll tokenize tokenizer.json --ids 15496,995
              echo -n "Hello" | plimsoll tokenize model.gguf --no-special
            """)
        {
            Model, Text, FileName, Ids, NoSpecial, ParseSpecial,
        };
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var sources = new[] { parsed.GetValue(Text) is not null, parsed.GetValue(FileName) is not null, parsed.GetValue(Ids) is { Length: > 0 } };
        if (sources.Count(given => given) > 1)
            throw CliException.WrongUsage("--text, --file and --ids exclude each other");
        var tokenizer = Tokenizer.Load(LocalModel.Locate(parsed.GetValue(Model)!, environment));
        var isDecoding = sources[2];
        var ids = isDecoding ? ParseIds(parsed.GetValue(Ids)!, tokenizer.Vocabulary.Count)
            : tokenizer.Encode(ReadText(parsed, environment), addSpecial: !parsed.GetValue(NoSpecial), parseSpecial: parsed.GetValue(ParseSpecial));
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            TokensJson.Write(terminal.Out, tokenizer, ids);
        else if (isDecoding)
            terminal.Out.WriteLine(tokenizer.Decode(ids, keepSpecial: !parsed.GetValue(NoSpecial)));
        else
            TokensTable.Write(terminal, tokenizer, ids);
        return ExitCode.Yes;
    }

    private static string ReadText(ParseResult parsed, CliEnvironment environment) =>
        parsed.GetValue(Text) is { } text ? text.Length > 0 ? text : throw CliException.WrongUsage("--text is empty", "give the text to tokenize")
        : parsed.GetValue(FileName) is { } file ? InputText.ReadFile(file)
        : InputText.ReadStandardInput(environment);

    private static int[] ParseIds(string[] words, int count) =>
        [.. words.SelectMany(word => word.Split([',', ' ', '[', ']'], StringSplitOptions.RemoveEmptyEntries)).Select(word => ParseId(word, count))];

    private static int ParseId(string word, int count) =>
        !int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? throw CliException.WrongUsage($"--ids takes whole numbers, not '{word}'")
        : id < count ? id
        : throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"the vocabulary has no token {id}: its {count:N0} tokens have the ids 0 to {count - 1}"));
}
