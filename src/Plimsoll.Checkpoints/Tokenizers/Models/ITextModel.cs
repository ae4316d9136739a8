namespace Plimsoll.Checkpoints.Tokenizers.Models;

/// <summary>Turns one piece of normalized text into tokens. Implementations may be called from many threads.</summary>
internal interface ITextModel
{
    void Encode(ReadOnlySpan<char> piece, List<int> ids);
}
