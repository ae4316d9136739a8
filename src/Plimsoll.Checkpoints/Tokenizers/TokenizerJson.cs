using System.Text.Json;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Counts what a <c>tokenizer.json</c> of the Hugging Face tokenizers library holds.</summary>
internal ref struct TokenizerJson
{
    /// <summary>Added tokens whose texts are kept to name the special ones. Llama 3 has 256, Gemma 3 6,415.</summary>
    private const int MaxKept = 65_536;

    private readonly string _path;
    private readonly HashSet<long> _addedIds = [];
    private readonly Dictionary<string, long> _added = new(StringComparer.Ordinal);
    private readonly HashSet<string> _steps = new(StringComparer.Ordinal);
    private JsonFileReader _reader;
    private string? _type;
    private bool _byteFallback;
    private bool _isFound;
    private long _tokens;
    private long _largest = -1;
    private long? _merges;

    private TokenizerJson(string path, Stream stream)
    {
        _path = path;
        _reader = new(path, stream);
    }

    /// <param name="added">The ids of the added tokens by their text.</param>
    /// <exception cref="CheckpointFormatException">The file is no such file.</exception>
    public static TokenizerFacts Read(string path, out IReadOnlyDictionary<string, long> added)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var reader = new TokenizerJson(path, stream);
        added = reader._added;
        try
        {
            return reader.Read();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new CheckpointFormatException(path, null, "a tokenizer.json", failure.Message, failure);
        }
    }

    private TokenizerFacts Read()
    {
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.StartObject)
            throw new CheckpointFormatException(_path, 0, "a JSON object", _reader.TokenType.ToString());
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            if (_reader.Is("model"u8))
                ReadModel();
            else if (_reader.Is("added_tokens"u8))
                ReadAddedTokens();
            else if (_reader.Is("pre_tokenizer"u8) || _reader.Is("decoder"u8))
                ReadSteps();
            else
                _reader.Skip();
        }
        if (!_isFound)
            throw new CheckpointFormatException(_path, null, "an object 'model' with a vocabulary", "none");
        var (tokens, largest) = (_tokens, _largest);
        // Most libraries list added tokens in the vocabulary too; those beyond it count extra.
        var extra = _addedIds.Count(id => id > largest);
        return new()
        {
            Source = Path.GetFileName(_path),
            Kind = Kind(),
            VocabularySize = tokens + extra,
            LargestId = largest < 0 ? null : largest,
            LargestAddedId = _addedIds.Count == 0 ? null : _addedIds.Max(),
            Merges = _merges,
        };
    }

    private readonly string Kind() => _type switch
    {
        "BPE" or null when _steps.Contains("ByteLevel") => "byte-level BPE",
        "BPE" when _byteFallback => "BPE with byte fallback (SentencePiece style)",
        null => _merges is null ? "vocabulary of unknown kind" : "BPE",
        var other => other,
    };

    private void ReadModel()
    {
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.StartObject)
            return;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            if (_reader.Is("type"u8))
            {
                _reader.Read();
                _type = _reader.Text;
            }
            else if (_reader.Is("byte_fallback"u8))
            {
                _reader.Read();
                _byteFallback = _reader.IsTrue;
            }
            else if (_reader.Is("vocab"u8))
            {
                ReadVocabulary();
            }
            else if (_reader.Is("merges"u8))
            {
                _merges = CountElements();
            }
            else
            {
                _reader.Skip();
            }
        }
    }

    /// <summary>An object of token to id, or (unigram) an array of token and score in the order of ids.</summary>
    private void ReadVocabulary()
    {
        _isFound = true;
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.StartArray)
        {
            _tokens = CountRest();
            _largest = _tokens - 1;
            return;
        }
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            _reader.Read();
            _largest = Math.Max(_largest, _reader.Integer("the id of a token"));
            _tokens++;
        }
    }

    private void ReadAddedTokens()
    {
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.StartArray)
            return;
        while (_reader.Read() && _reader.TokenType == JsonTokenType.StartObject)
        {
            (string? text, long? id) = (null, null);
            while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = _reader.Is("id"u8);
                var isText = _reader.Is("content"u8);
                _reader.Read();
                if (isId)
                    id = _reader.Integer("the id of an added token");
                else if (isText)
                    text = _reader.Text;
                else
                    _reader.Skip();
            }
            if (id is { } known && _addedIds.Count < MaxKept && _addedIds.Add(known) && text is not null)
                _added.TryAdd(text, known);
        }
    }

    /// <summary>The names of all steps, however they are nested.</summary>
    private void ReadSteps()
    {
        _reader.Read();
        if (_reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            return;
        var depth = _reader.Depth;
        while (_reader.Read() && _reader.Depth > depth)
        {
            if (_reader.TokenType != JsonTokenType.PropertyName || !_reader.Is("type"u8))
                continue;
            _reader.Read();
            if (_reader.Text is { } name)
                _steps.Add(name);
        }
    }

    private long? CountElements()
    {
        _reader.Read();
        return _reader.TokenType == JsonTokenType.StartArray ? CountRest() : null;
    }

    /// <summary>The elements of the array whose start was just read.</summary>
    private long CountRest()
    {
        var count = 0L;
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            count++;
            _reader.Skip();
        }
        return count;
    }
}
