namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>What a token is for: the values of SentencePiece's piece types, which GGUF's <c>tokenizer.ggml.token_type</c> shares.</summary>
public enum TokenType
{
    Normal = 1,

    /// <summary>Stands for text that the vocabulary cannot express.</summary>
    Unknown = 2,

    /// <summary>Steers the model and is no text: <c>&lt;s&gt;</c>, <c>&lt;|eot_id|&gt;</c>. Found in text only where the caller allows it.</summary>
    Control = 3,

    /// <summary>Text that is always one token.</summary>
    UserDefined = 4,

    /// <summary>Has an id and no meaning.</summary>
    Unused = 5,

    /// <summary>One byte, written <c>&lt;0x0A&gt;</c>.</summary>
    Byte = 6,
}
