using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Quantization.Gguf;

/// <summary>The vocabulary of a Hugging Face folder with the scores of its SentencePiece model, where it has one.</summary>
/// <remarks>
/// <c>tokenizer.json</c> says which tokens there are, added ones included, and keeps the order of merges; the scores that GGUF stores are in
/// <c>tokenizer.model</c> only.
/// </remarks>
internal static class ScoredVocabulary
{
    /// <summary>The score that llama.cpp's converter gives to tokens that were added later: no merge gives them.</summary>
    private const float AddedScore = -1000;

    /// <exception cref="Plimsoll.Checkpoints.CheckpointFormatException">There is no tokenizer, one that we do not know, or a broken one.</exception>
    public static Vocabulary Read(string folder)
    {
        var vocabulary = VocabularyReader.Read(folder);
        var model = Path.Combine(folder, "tokenizer.model");
        if (vocabulary.Kind != TokenizerKind.SentencePieceBpe || !File.Exists(model))
            return vocabulary;
        var pieces = VocabularyReader.Read(model);
        if (pieces.Kind != TokenizerKind.SentencePieceBpe)
            return vocabulary;
        return vocabulary with
        {
            Scores = [.. vocabulary.Tokens.Select((_, id) => IsPiece(id) ? pieces.Scores[id] : AddedScore)],
            // Some tokenizer.json list as added what is a piece like others.
            Types = [.. vocabulary.Types.Select((type, id) => type == TokenType.UserDefined && IsPiece(id) ? pieces.Types[id] : type)],
            Special = vocabulary.Special with
            {
                Bos = vocabulary.Special.Bos ?? pieces.Special.Bos,
                Eos = vocabulary.Special.Eos ?? pieces.Special.Eos,
                Unknown = vocabulary.Special.Unknown ?? pieces.Special.Unknown,
            },
        };

        bool IsPiece(int id) => id < pieces.Count && pieces.Tokens[id] == vocabulary.Tokens[id];
    }
}
