using System.Globalization;
using System.Text;
using System.Text.Json;
using Plimsoll.Checkpoints;

namespace Plimsoll.Diagnostics.Snapshots.Reading;

/// <summary>Feeds a JSON file to the builder as a pickle would be: containers bottom-up, through a window that grows only for a single long token.</summary>
internal sealed class JsonReducer(string path, SnapshotBuilder builder)
{
    private const int WindowBytes = 1 << 16;

    /// <summary>As many as a string of a pickle may have.</summary>
    private const int MaxTokenBytes = 64 << 20;

    private const int MaxDepth = 64;

    private readonly List<int> _starts = [];
    private Node[] _stack = new Node[64];
    private int _count;

    public static Node Reduce(string path, SnapshotBuilder builder) => new JsonReducer(path, builder).Run();

    private Node Run()
    {
        using var stream = File.OpenRead(path);
        var window = new byte[WindowBytes];
        var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = MaxDepth });
        var (filled, passed) = (0, 0L);
        try
        {
            while (true)
            {
                var read = stream.Read(window, filled, window.Length - filled);
                filled += read;
                var reader = new Utf8JsonReader(window.AsSpan(0, filled), isFinalBlock: read == 0, state);
                while (reader.Read())
                    Token(ref reader);
                if (read == 0)
                    return _count == 1 ? _stack[0] : throw builder.Bad("one JSON value", $"{_count}");
                state = reader.CurrentState;
                var consumed = (int)reader.BytesConsumed;
                passed += consumed;
                window.AsSpan(consumed, filled - consumed).CopyTo(window);
                filled -= consumed;
                if (filled == window.Length)
                    Array.Resize(ref window, window.Length < MaxTokenBytes ? window.Length * 2 : throw builder.Bad($"JSON tokens of at most {MaxTokenBytes:N0} bytes", "more"));
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new CheckpointFormatException(path, passed, "JSON", exception.Message, exception);
        }
    }

    private void Token(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray: _starts.Add(_count); break;
            case JsonTokenType.EndObject: Close(builder.Dictionary(Cut())); break;
            case JsonTokenType.EndArray: Close(builder.Sequence(Cut())); break;
            case JsonTokenType.PropertyName or JsonTokenType.String: Push(builder.Text(reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan)); break;
            case JsonTokenType.True: Push(builder.Boolean(true)); break;
            case JsonTokenType.False: Push(builder.Boolean(false)); break;
            case JsonTokenType.Number: Push(Number(reader.ValueSpan)); break;
            default: Push(builder.None()); break;
        }
    }

    private Node Number(ReadOnlySpan<byte> text) => Int128.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
        ? builder.Integer(integer)
        : builder.Number(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));

    private ReadOnlySpan<Node> Cut() => _stack.AsSpan(_starts[^1], _count - _starts[^1]);

    private void Close(Node container)
    {
        _count = _starts[^1];
        _starts.RemoveAt(_starts.Count - 1);
        Push(container);
    }

    private void Push(Node node)
    {
        if (_count == _stack.Length)
            Array.Resize(ref _stack, _count * 2);
        _stack[_count++] = node;
    }
}
