using System.Globalization;
using System.Text;
using Plimsoll.Checkpoints.Tokenizers.Normalizing;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>The bytes that each token stands for, worked out when first asked for.</summary>
internal sealed class TokenBytes(Vocabulary vocabulary)
{
    private readonly byte[]?[] _bytes = new byte[vocabulary.Count][];

    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public byte[] Of(int id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)id, (uint)_bytes.Length, nameof(id));
        return _bytes[id] ??= Make(id);
    }

    /// <summary>Whether the first space of a text is the one that encoding put there.</summary>
    public bool HasSpacePrefix => vocabulary.AddSpacePrefix || vocabulary.Kind == TokenizerKind.WordPiece;

    /// <summary>BERT's pieces were split at punctuation; decoding takes the spaces before it away again, as the tokenizers library does.</summary>
    public string Clean(string text) => vocabulary.Kind != TokenizerKind.WordPiece ? text : text
        .Replace(" .", ".", StringComparison.Ordinal).Replace(" ?", "?", StringComparison.Ordinal).Replace(" !", "!", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal)
        .Replace(" ' ", "'", StringComparison.Ordinal).Replace(" n't", "n't", StringComparison.Ordinal).Replace(" 'm", "'m", StringComparison.Ordinal)
        .Replace(" 's", "'s", StringComparison.Ordinal).Replace(" 've", "'ve", StringComparison.Ordinal).Replace(" 're", "'re", StringComparison.Ordinal);

    private byte[] Make(int id)
    {
        var text = vocabulary.Tokens[id];
        return vocabulary.Types[id] switch
        {
            TokenType.Byte when text.Length == 6 && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) => [value],
            TokenType.Normal or TokenType.Byte when vocabulary.Kind == TokenizerKind.ByteLevelBpe => ByteAlphabet.ToBytes(text),
            TokenType.Normal or TokenType.Byte => Encoding.UTF8.GetBytes(text.Replace(SpaceNormalization.Meta, ' ')),
            _ => Encoding.UTF8.GetBytes(text),
        };
    }
}
