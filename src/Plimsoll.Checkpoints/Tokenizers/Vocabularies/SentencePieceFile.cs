using System.Collections.Immutable;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Reads a SentencePiece <c>tokenizer.model</c> (google/sentencepiece, src/sentencepiece_model.proto).</summary>
internal sealed class SentencePieceFile
{
    private readonly ImmutableArray<string>.Builder _tokens = ImmutableArray.CreateBuilder<string>();
    private readonly ImmutableArray<float>.Builder _scores = ImmutableArray.CreateBuilder<float>();
    private readonly ImmutableArray<TokenType>.Builder _types = ImmutableArray.CreateBuilder<TokenType>();
    private long _modelType = 1;
    private (long Unknown, long Bos, long Eos, long Padding) _ids = (0, 1, 2, -1);
    private ImmutableArray<byte> _charactersMap = [];
    private bool _addDummyPrefix = true;
    private bool _removeExtraWhitespaces = true;

    /// <exception cref="CheckpointFormatException">The file is no such model, or one of words or characters.</exception>
    public static Vocabulary Read(string path)
    {
        using var source = new FileByteSource(path);
        var file = new SentencePieceFile();
        var cursor = new ByteCursor(source);
        file.ReadModel(cursor);
        return file.ToVocabulary(path);
    }

    private Vocabulary ToVocabulary(string path)
    {
        var isBpe = _modelType == 2;
        if (!isBpe && _modelType != 1)
            throw new CheckpointFormatException(path, null, "a SentencePiece model of type unigram (1) or BPE (2)", $"type {_modelType}");
        return new()
        {
            Path = path,
            Kind = isBpe ? TokenizerKind.SentencePieceBpe : TokenizerKind.Unigram,
            Tokens = _tokens.ToImmutable(),
            Types = _types.ToImmutable(),
            Scores = _scores.ToImmutable(),
            Special = new()
            {
                Bos = Id(_ids.Bos), Eos = Id(_ids.Eos), Unknown = Id(_ids.Unknown), Padding = Id(_ids.Padding),
                Eot = SpecialTokenTexts.FindEndOfTurn(_tokens.ToImmutable()),
            },
            // What the two families do unless tokenizer_config.json says otherwise: Llama begins with bos, T5 ends with eos.
            AddBos = isBpe && Id(_ids.Bos) is not null,
            AddEos = !isBpe && Id(_ids.Eos) is not null,
            AddSpacePrefix = _addDummyPrefix,
            RemoveExtraWhitespaces = _removeExtraWhitespaces,
            CharactersMap = _charactersMap,
        };
    }

    private int? Id(long id) => id >= 0 && id < _tokens.Count ? (int)id : null;

    private void ReadModel(ByteCursor cursor)
    {
        Fields(cursor, cursor.End!.Value, (field, length, _) =>
        {
            var end = cursor.Position + length;
            if (field == 1 && length >= 0)
                ReadPiece(cursor, end);
            else if (field == 2 && length >= 0)
                ReadTrainer(cursor, end);
            else if (field == 3 && length >= 0)
                ReadNormalizer(cursor, end);
        });
        if (_tokens.Count == 0)
            throw new CheckpointFormatException(cursor.Path, 0, "a SentencePiece model with pieces", "none");
    }

    /// <summary>piece = 1 (text), score = 2, type = 3.</summary>
    private void ReadPiece(ByteCursor cursor, long end)
    {
        if (_tokens.Count >= VocabularyLimits.MaxTokens)
            throw cursor.Bad($"at most {VocabularyLimits.MaxTokens:N0} pieces", "more");
        var (text, score, type) = ("", 0f, TokenType.Normal);
        Fields(cursor, end, (field, length, value) =>
        {
            if (field == 1 && length >= 0)
                text = cursor.ReadText(Math.Min(length, end - cursor.Position), "piece");
            else if (field == 2)
                score = BitConverter.Int32BitsToSingle((int)value);
            else if (field == 3)
                type = value is >= 1 and <= 6 ? (TokenType)value : TokenType.Normal;
        });
        _tokens.Add(text);
        _scores.Add(score);
        _types.Add(type);
    }

    /// <summary>model_type = 3, unk_id = 40, bos_id = 41, eos_id = 42, pad_id = 43.</summary>
    private void ReadTrainer(ByteCursor cursor, long end) => Fields(cursor, end, (field, _, value) =>
    {
        switch (field)
        {
            case 3: _modelType = value; break;
            case 40: _ids.Unknown = (int)value; break;
            case 41: _ids.Bos = (int)value; break;
            case 42: _ids.Eos = (int)value; break;
            case 43: _ids.Padding = (int)value; break;
        }
    });

    /// <summary>precompiled_charsmap = 2, add_dummy_prefix = 3, remove_extra_whitespaces = 4.</summary>
    private void ReadNormalizer(ByteCursor cursor, long end) => Fields(cursor, end, (field, length, value) =>
    {
        if (field == 2 && length >= 0)
            _charactersMap = [.. cursor.Take((int)Math.Min(length, end - cursor.Position), "table of characters")];
        else if (field == 3)
            _addDummyPrefix = value != 0;
        else if (field == 4)
            _removeExtraWhitespaces = value != 0;
    });

    /// <summary>Calls for every field up to <paramref name="end"/>; what the call leaves of a field's content is skipped.</summary>
    private static void Fields(ByteCursor cursor, long end, Action<long, long, long> read)
    {
        while (cursor.Position < end)
        {
            var (number, length, value) = ProtocolBuffer.ReadField(cursor);
            var after = cursor.Position + Math.Max(0, length);
            if (after > end)
                throw cursor.Bad("a field that ends within its message", $"one of {length:N0} bytes");
            read(number, length, value);
            cursor.Skip(after - cursor.Position, "field");
        }
    }
}
