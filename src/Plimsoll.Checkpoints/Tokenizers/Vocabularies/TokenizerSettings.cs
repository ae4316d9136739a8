using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>What <c>tokenizer_config.json</c> and the files of chat templates add to a vocabulary.</summary>
internal sealed class TokenizerSettings
{
    /// <summary>The splitting rule of classes whose files (vocab.json and merges.txt) do not state it.</summary>
    private static readonly Dictionary<string, string> ClassRules = new()
    {
        ["GPT2Tokenizer"] = "gpt-2", ["GPTNeoXTokenizer"] = "gpt-2", ["CodeGenTokenizer"] = "gpt-2", ["RobertaTokenizer"] = "gpt-2", ["BartTokenizer"] = "gpt-2",
        ["Qwen2Tokenizer"] = "qwen2", ["Starcoder2Tokenizer"] = "starcoder", ["CohereTokenizer"] = "command-r",
    };

    private readonly ModelConfig? _config;
    private readonly string? _template;

    private TokenizerSettings(ModelConfig? config, string? template) => (_config, _template) = (config, template);

    /// <exception cref="CheckpointFormatException">A file is broken.</exception>
    public static TokenizerSettings Read(string folder)
    {
        var path = Path.Combine(folder, "tokenizer_config.json");
        var config = File.Exists(path) ? ModelConfig.Parse(path, SmallFile.Read(path, TokenizerReader.MaxConfigBytes)) : null;
        var template = Path.Combine(folder, "chat_template.jinja");
        return new(config, File.Exists(template) ? Encoding.UTF8.GetString(SmallFile.Read(template, TokenizerReader.MaxConfigBytes)) : Template(config));
    }

    public TokenizerSource ApplyTo(TokenizerSource source)
    {
        var extended = WithAddedTokens(source);
        var vocabulary = extended.Vocabulary with { ChatTemplate = _template ?? extended.Vocabulary.ChatTemplate };
        if (_config is null)
            return extended with { Vocabulary = vocabulary };
        var special = vocabulary.Special;
        var (cls, separator) = (Id(vocabulary, "cls_token"), Id(vocabulary, "sep_token") ?? special.Separator);
        vocabulary = vocabulary with
        {
            Special = special with
            {
                Bos = vocabulary.Kind == TokenizerKind.WordPiece ? cls ?? special.Bos : Id(vocabulary, "bos_token") ?? special.Bos,
                Eos = Id(vocabulary, "eos_token") ?? special.Eos,
                Unknown = Id(vocabulary, "unk_token") ?? special.Unknown,
                Padding = Id(vocabulary, "pad_token") ?? special.Padding,
                Separator = separator,
                Mask = Id(vocabulary, "mask_token") ?? special.Mask,
            },
            PreTokenizer = source.Json is null && vocabulary.Kind == TokenizerKind.ByteLevelBpe ? ClassRule() ?? vocabulary.PreTokenizer : vocabulary.PreTokenizer,
        };
        return extended with
        {
            Vocabulary = vocabulary with
            {
                AddBos = (_config.Boolean("add_bos_token") ?? vocabulary.AddBos) && vocabulary.Special.Bos is not null,
                AddEos = (_config.Boolean("add_eos_token") ?? vocabulary.AddEos) && vocabulary.Special.Eos is not null,
            },
        };
    }

    private string? ClassRule() => _config!.Value("tokenizer_class") is { ValueKind: JsonValueKind.String } name
        && ClassRules.TryGetValue(name.GetString()!.Replace("Fast", "", StringComparison.Ordinal), out var rule) ? rule : null;

    private int? Id(Vocabulary vocabulary, string key)
    {
        var text = _config!.Value(key) switch
        {
            { ValueKind: JsonValueKind.String } plain => plain.GetString(),
            { ValueKind: JsonValueKind.Object } entry when entry.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String => content.GetString(),
            _ => null,
        };
        return text is not null && vocabulary.Tokens.IndexOf(text) is >= 0 and var id ? id : null;
    }

    /// <summary>Files of SentencePiece and merges lack the tokens that were added later; <c>added_tokens_decoder</c> has them by id.</summary>
    private TokenizerSource WithAddedTokens(TokenizerSource source)
    {
        if (source.Json is not null || _config?.Value("added_tokens_decoder") is not { ValueKind: JsonValueKind.Object } decoder)
            return source;
        var added = source.Added.ToDictionary(token => token.Id);
        foreach (var member in decoder.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object && int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && id < VocabularyLimits.MaxTokens && AddedToken.Parse(member.Value, id) is { } token)
                added[id] = token;
        }
        var (vocabulary, count) = (source.Vocabulary, Math.Max(source.Vocabulary.Count, added.Keys.DefaultIfEmpty(-1).Max() + 1));
        var tokens = vocabulary.Tokens.Concat(Enumerable.Range(vocabulary.Count, count - vocabulary.Count).Select(id => $"[PAD{id}]")).ToArray();
        var types = vocabulary.Types.Concat(Enumerable.Repeat(TokenType.Unused, count - vocabulary.Count)).ToArray();
        foreach (var token in added.Values)
        {
            tokens[token.Id] = token.Text;
            if (types[token.Id] != TokenType.Unknown)
                types[token.Id] = token.IsSpecial ? TokenType.Control : TokenType.UserDefined;
        }
        ImmutableArray<float> scores = vocabulary.Scores.IsEmpty ? [] : [.. vocabulary.Scores, .. Enumerable.Repeat(0f, count - vocabulary.Count)];
        return source with
        {
            Added = [.. added.Values.OrderBy(token => token.Id)],
            Vocabulary = vocabulary with
            {
                Tokens = [.. tokens], Types = [.. types], Scores = scores,
                Special = vocabulary.Special with { Eot = SpecialTokenTexts.FindEndOfTurn([.. tokens]) },
            },
        };
    }

    /// <summary>A string, or a list of named ones, of which "default" is taken.</summary>
    private static string? Template(ModelConfig? config)
    {
        if (config?.Value("chat_template") is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        var named = value.EnumerateArray().Where(entry => entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("template", out _))
            .Select(entry => (Name: entry.TryGetProperty("name", out var name) ? name.ToString() : "", Text: entry.GetProperty("template").ToString())).ToList();
        return named.OrderByDescending(entry => entry.Name == "default").Select(entry => entry.Text).FirstOrDefault();
    }
}
