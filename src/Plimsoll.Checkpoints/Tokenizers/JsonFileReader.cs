using System.Text.Json;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Reads a JSON file token by token through a small window: a vocabulary of 30 MB costs 64 KiB.</summary>
internal ref struct JsonFileReader
{
    private const int WindowBytes = 64 * 1024;

    /// <summary>The longest single string; chat templates have below 100 KB, normalizer tables of SentencePiece below 1 MB.</summary>
    private const int MaxTokenBytes = 16 << 20;

    private readonly Stream _stream;
    private readonly string _path;
    private byte[] _window = new byte[WindowBytes];
    private int _filled;
    private long _before;
    private bool _isLast;
    private Utf8JsonReader _reader;

    public JsonFileReader(string path, Stream stream)
    {
        _path = path;
        _stream = stream;
        Fill(0, new JsonReaderState(new JsonReaderOptions { MaxDepth = 128 }));
    }

    public readonly JsonTokenType TokenType => _reader.TokenType;

    public readonly int Depth => _reader.CurrentDepth;

    /// <summary>The byte of the file where the current token starts.</summary>
    public readonly long Position => _before + _reader.TokenStartIndex;

    public bool Read()
    {
        while (!_reader.Read())
        {
            if (_isLast)
                return false;
            Refill();
        }
        return true;
    }

    /// <summary>Moves from a property name or the start of a value to the end of the value.</summary>
    public void Skip()
    {
        if (TokenType == JsonTokenType.PropertyName)
            Read();
        if (TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            return;
        var depth = Depth;
        while (Read() && Depth > depth)
        {
        }
    }

    public readonly bool Is(ReadOnlySpan<byte> text) => _reader.ValueTextEquals(text);

    public readonly string? Text => TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? _reader.GetString() : null;

    public readonly bool IsTrue => TokenType == JsonTokenType.True;

    public readonly long Integer(string what) => TokenType == JsonTokenType.Number && _reader.TryGetInt64(out var number)
        ? number
        : throw new CheckpointFormatException(_path, Position, $"an integer as {what}", TokenType.ToString());

    private void Refill()
    {
        var consumed = (int)_reader.BytesConsumed;
        var left = _filled - consumed;
        if (left > MaxTokenBytes)
            throw new CheckpointFormatException(_path, _before + consumed, $"strings of at most {MaxTokenBytes:N0} bytes", "a longer one");
        var target = left > _window.Length / 2 ? new byte[_window.Length * 2] : _window;
        _window.AsSpan(consumed, left).CopyTo(target);
        _window = target;
        _before += consumed;
        Fill(left, _reader.CurrentState);
    }

    private void Fill(int kept, JsonReaderState state)
    {
        var read = _stream.ReadAtLeast(_window.AsSpan(kept), _window.Length - kept, throwOnEndOfStream: false);
        _filled = kept + read;
        _isLast = _filled < _window.Length;
        _reader = new Utf8JsonReader(_window.AsSpan(0, _filled), _isLast, state);
    }
}
