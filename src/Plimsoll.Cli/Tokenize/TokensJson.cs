using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Cli.Tokenize;

/// <summary><c>plimsoll.tokens/1</c>: ids, their pieces, and the text that they decode to.</summary>
internal static class TokensJson
{
    public static void Write(TextWriter output, Tokenizer tokenizer, int[] ids) => JsonOutput.Write(output, "plimsoll.tokens/1", json =>
    {
        json.WriteArray("ids", ids, json.WriteNumberValue);
        json.WriteStrings("pieces", ids.Select(id => PieceText.Of(tokenizer.PieceBytes(id))));
        json.WriteString("text", tokenizer.Decode(ids));
    });
}
