using System.Collections.Immutable;
using System.Text.Json;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Parses a <c>tokenizer.json</c> in one pass: 150,000 tokens and merges take tens of milliseconds.</summary>
internal ref struct TokenizerJsonParser
{
    private readonly string _path;
    private readonly Dictionary<string, JsonElement> _settings = [];
    private readonly ImmutableArray<string>.Builder _merges = ImmutableArray.CreateBuilder<string>();
    private readonly List<float> _scores = [];
    private readonly List<AddedToken> _added = [];
    private readonly List<string?> _tokens = [];
    private Utf8JsonReader _reader;
    private bool _hasVocabulary;
    private JsonElement? _normalizer;
    private JsonElement? _preTokenizer;
    private JsonElement? _postProcessor;
    private JsonElement? _decoder;

    public TokenizerJsonParser(string path, byte[] json)
    {
        _path = path;
        _reader = new(json.AsSpan(json.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0), new JsonReaderOptions { MaxDepth = 128 });
    }

    public TokenizerJsonFile Read()
    {
        try
        {
            ReadRoot();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new CheckpointFormatException(_path, _reader.TokenStartIndex, "a tokenizer of the Hugging Face tokenizers library", failure.Message, failure);
        }
        if (!_hasVocabulary)
            throw new CheckpointFormatException(_path, null, "an object 'model' with a vocabulary", "none");
        foreach (var token in _added)
            Place(token.Id, token.Text, replace: true);
        return new()
        {
            Path = _path,
            ModelType = _settings.TryGetValue("type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString()!
                : _merges.Count > 0 ? "BPE" : _scores.Count > 0 ? "Unigram" : _settings.ContainsKey("continuing_subword_prefix") ? "WordPiece" : "WordLevel",
            Tokens = [.. _tokens],
            Scores = [.. _scores],
            Merges = _merges.ToImmutable(),
            AddedTokens = [.. _added],
            Settings = _settings,
            Normalizer = _normalizer,
            PreTokenizer = _preTokenizer,
            PostProcessor = _postProcessor,
            Decoder = _decoder,
        };
    }

    private void ReadRoot()
    {
        _reader.Read();
        Expect(JsonTokenType.StartObject, "an object");
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = _reader.GetString();
            _reader.Read();
            switch (name)
            {
                case "model": ReadModel(); break;
                case "added_tokens": ReadAddedTokens(); break;
                case "normalizer": _normalizer = Step(); break;
                case "pre_tokenizer": _preTokenizer = Step(); break;
                case "post_processor": _postProcessor = Step(); break;
                case "decoder": _decoder = Step(); break;
                default: _reader.Skip(); break;
            }
        }
    }

    private JsonElement? Step() => JsonElement.ParseValue(ref _reader) is { ValueKind: JsonValueKind.Object } step ? step : null;

    private void ReadModel()
    {
        Expect(JsonTokenType.StartObject, "an object as 'model'");
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = _reader.GetString()!;
            _reader.Read();
            if (name == "vocab" && _reader.TokenType == JsonTokenType.StartObject)
                ReadIds();
            else if (name == "vocab" && _reader.TokenType == JsonTokenType.StartArray)
                ReadScores();
            else if (name == "merges" && _reader.TokenType == JsonTokenType.StartArray)
                ReadMerges();
            else
                _settings[name] = JsonElement.ParseValue(ref _reader);
        }
    }

    private void ReadIds()
    {
        _hasVocabulary = true;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var text = _reader.GetString()!;
            _reader.Read();
            Place(ReadId(), text, replace: false);
        }
    }

    /// <summary>Unigram: pairs of text and log-probability in the order of ids.</summary>
    private void ReadScores()
    {
        _hasVocabulary = true;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.StartArray)
        {
            _reader.Read();
            Place(_tokens.Count, _reader.GetString() ?? "", replace: false);
            _reader.Read();
            _scores.Add((float)_reader.GetDouble());
            _reader.Read();
        }
    }

    /// <summary>Each merge is a text with a space between its halves or, in newer files, an array of the two.</summary>
    private void ReadMerges()
    {
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (_reader.TokenType == JsonTokenType.String)
            {
                _merges.Add(_reader.GetString()!);
                continue;
            }
            Expect(JsonTokenType.StartArray, "a merge");
            _reader.Read();
            var left = _reader.GetString();
            _reader.Read();
            _merges.Add($"{left} {_reader.GetString()}");
            _reader.Read();
        }
    }

    private void ReadAddedTokens()
    {
        if (_reader.TokenType != JsonTokenType.StartArray)
        {
            _reader.Skip();
            return;
        }
        while (_reader.Read() && _reader.TokenType == JsonTokenType.StartObject)
        {
            var at = _reader.TokenStartIndex;
            var entry = JsonElement.ParseValue(ref _reader);
            if (!entry.TryGetProperty("id", out var id) || id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out var number))
                throw new CheckpointFormatException(_path, at, "an integer as the id of an added token", "none");
            if (AddedToken.Parse(entry, Checked(number, at)) is { } token)
                _added.Add(token);
        }
    }

    private int ReadId()
    {
        var at = _reader.TokenStartIndex;
        return _reader.TokenType == JsonTokenType.Number && _reader.TryGetInt32(out var id)
            ? Checked(id, at)
            : throw new CheckpointFormatException(_path, at, "an integer as the id of a token", _reader.TokenType.ToString());
    }

    private readonly int Checked(int id, long at) => id is >= 0 and < VocabularyLimits.MaxTokens
        ? id
        : throw new CheckpointFormatException(_path, at, $"a token id below {VocabularyLimits.MaxTokens:N0}", $"{id}");

    private readonly void Place(int id, string text, bool replace)
    {
        while (_tokens.Count <= id)
            _tokens.Add(null);
        if (replace || _tokens[id] is null)
            _tokens[id] = text;
    }

    private readonly void Expect(JsonTokenType type, string what)
    {
        if (_reader.TokenType != type)
            throw new CheckpointFormatException(_path, _reader.TokenStartIndex, what, _reader.TokenType.ToString());
    }
}
