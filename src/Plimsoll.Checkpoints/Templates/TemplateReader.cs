namespace Plimsoll.Checkpoints.Templates;

/// <summary>The tokens of a template, one after the other.</summary>
internal sealed class TemplateReader(List<TemplateToken> tokens)
{
    private int _at;

    public TemplateToken Current => tokens[_at];

    public TemplateToken Next() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

    public bool IsOperator(string text) => Current.Kind == TemplateTokenKind.Operator && Current.Text == text;

    public bool IsName(string text) => Current.Kind == TemplateTokenKind.Name && Current.Text == text;

    /// <summary>Whether the token after the current one is this operator.</summary>
    public bool IsFollowedBy(string text) => _at + 1 < tokens.Count && tokens[_at + 1] is { Kind: TemplateTokenKind.Operator } next && next.Text == text;

    public bool TryOperator(string text)
    {
        var found = IsOperator(text);
        _at += found ? 1 : 0;
        return found;
    }

    public bool TryName(string text)
    {
        var found = IsName(text);
        _at += found ? 1 : 0;
        return found;
    }

    /// <exception cref="TemplateException">Something else comes.</exception>
    public void Expect(string text)
    {
        if (!TryOperator(text))
            throw Unexpected($"'{text}'");
    }

    /// <exception cref="TemplateException">Something else comes.</exception>
    public string ExpectName() => Current.Kind == TemplateTokenKind.Name ? Next().Text : throw Unexpected("a name");

    /// <exception cref="TemplateException">Something else comes.</exception>
    public void Expect(TemplateTokenKind kind, string what)
    {
        if (Current.Kind != kind)
            throw Unexpected(what);
        Next();
    }

    public TemplateException Unexpected(string expected) => new($"expected {expected}, found {Current.Kind switch
    {
        TemplateTokenKind.End => "the end of the template",
        TemplateTokenKind.BlockEnd => "'%}'",
        TemplateTokenKind.PrintEnd => "'}}'",
        TemplateTokenKind.Text => "text",
        _ => $"'{Current.Text}'",
    }}", Current.Line);
}
