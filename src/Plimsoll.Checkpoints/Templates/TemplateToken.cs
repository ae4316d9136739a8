namespace Plimsoll.Checkpoints.Templates;

internal enum TemplateTokenKind
{
    /// <summary>Text between tags, as it is written.</summary>
    Text,

    /// <summary><c>{{</c></summary>
    PrintBegin,

    /// <summary><c>}}</c></summary>
    PrintEnd,

    /// <summary><c>{%</c></summary>
    BlockBegin,

    /// <summary><c>%}</c></summary>
    BlockEnd,
    Name,
    StringLiteral,
    Integer,
    Float,
    Operator,
    End,
}

/// <param name="Text">The text, the name, the value of a literal, or the operator.</param>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Text, int Line);
