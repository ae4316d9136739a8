using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Counts the pieces of a SentencePiece <c>tokenizer.model</c> (a protocol buffer: sentencepiece_model.proto).</summary>
internal sealed class SentencePieceModel
{
    private const int MaxPieces = 16 << 20;

    /// <summary>Pieces whose text is kept until the ids of the special ones are known; they are among the first.</summary>
    private const int Kept = 1024;

    private readonly List<string> _first = [];
    private readonly long[] _ids = [0, 1, 2, -1];
    private long _pieces;
    private long _type = 1;

    /// <exception cref="CheckpointFormatException">The file is no such model.</exception>
    public static TokenizerFacts Read(string path)
    {
        using var source = new FileByteSource(path);
        return new SentencePieceModel().Read(new ByteCursor(source));
    }

    private TokenizerFacts Read(ByteCursor cursor)
    {
        while (cursor.Remaining > 0)
        {
            var (field, length) = ReadField(cursor);
            if (length < 0)
                continue;
            var end = cursor.Position + length;
            if (field == 1)
                ReadPiece(cursor, end);
            else if (field == 2)
                ReadTrainer(cursor, end);
            cursor.Skip(end - cursor.Position, "field");
        }
        if (_pieces == 0)
            throw new CheckpointFormatException(cursor.Path, 0, "a SentencePiece model with pieces", "none");
        return new()
        {
            Source = Path.GetFileName(cursor.Path),
            Kind = _type switch { 1 => "SentencePiece unigram", 2 => "SentencePiece BPE", 3 => "SentencePiece words", 4 => "SentencePiece characters", _ => "SentencePiece" },
            VocabularySize = _pieces,
            LargestId = _pieces - 1,
            SpecialTokens = [.. SpecialTokens()],
        };
    }

    /// <summary>piece = 1 (text), score = 2, type = 3.</summary>
    private void ReadPiece(ByteCursor cursor, long end)
    {
        if (++_pieces > MaxPieces)
            throw cursor.Bad($"at most {MaxPieces:N0} pieces", "more");
        var text = "";
        while (cursor.Position < end)
        {
            var (field, length) = ReadField(cursor);
            if (field == 1 && length >= 0 && length <= end - cursor.Position)
                text = _first.Count < Kept ? cursor.ReadText(length, "piece") : Skipped(cursor, length);
            else if (length >= 0)
                cursor.Skip(length, "field");
        }
        if (_first.Count < Kept)
            _first.Add(text);
    }

    private static string Skipped(ByteCursor cursor, long length)
    {
        cursor.Skip(length, "piece");
        return "";
    }

    /// <summary>model_type = 3, unk_id = 40, bos_id = 41, eos_id = 42, pad_id = 43.</summary>
    private void ReadTrainer(ByteCursor cursor, long end)
    {
        while (cursor.Position < end)
        {
            var (field, length) = ReadField(cursor, out var value);
            if (length >= 0)
                cursor.Skip(length, "field");
            else if (field == 3)
                _type = value;
            else if (field is >= 40 and <= 43)
                _ids[field - 40] = (int)value;
        }
    }

    private IEnumerable<SpecialToken> SpecialTokens()
    {
        string[] roles = ["unk", "bos", "eos", "pad"];
        foreach (var index in (int[])[1, 2, 0, 3])
        {
            if (_ids[index] >= 0 && _ids[index] < _pieces)
                yield return new(roles[index], _ids[index] < _first.Count ? _first[(int)_ids[index]] : null, _ids[index]);
        }
    }

    private static (long Field, long Length) ReadField(ByteCursor cursor) => ReadField(cursor, out _);

    /// <summary>A field's number, and the bytes of its content that follow; −1 when the content was a number, which is consumed.</summary>
    private static (long Field, long Length) ReadField(ByteCursor cursor, out long value)
    {
        var at = cursor.Position;
        var tag = ReadVarint(cursor);
        value = 0;
        switch (tag & 7)
        {
            case 0:
                value = ReadVarint(cursor);
                return (tag >> 3, -1);
            case 1:
                cursor.Skip(8, "number");
                return (tag >> 3, -1);
            case 2:
                var length = ReadVarint(cursor);
                cursor.Require(length, "field");
                return (tag >> 3, length);
            case 5:
                cursor.Skip(4, "number");
                return (tag >> 3, -1);
            default:
                throw cursor.Bad("a field of a protocol buffer", $"wire type {tag & 7}", at);
        }
    }

    private static long ReadVarint(ByteCursor cursor)
    {
        var at = cursor.Position;
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = cursor.ReadByte("number");
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return (long)value;
        }
        throw cursor.Bad("a number of at most ten bytes", "a longer one", at);
    }
}
