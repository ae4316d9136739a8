using System.Globalization;
using System.Text;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>Cuts a template into text and the tokens inside its tags.</summary>
/// <remarks>
/// White space as Hugging Face sets Jinja up: the line feed behind a block is dropped (trim_blocks), spaces before a block at the start of a line too
/// (lstrip_blocks); <c>-</c> in a tag takes all white space on its side, <c>+</c> keeps it; the last line feed of the template is dropped.
/// </remarks>
internal sealed class TemplateLexer
{
    private static readonly string[] Operators = ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",", ":", "|", "(", ")", "[", "]", "{", "}"];

    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private int _at;
    private int _line = 1;

    private TemplateLexer(string source) => _source = source;

    /// <exception cref="TemplateException">A tag or a string does not end, or there is a character that means nothing.</exception>
    public static List<TemplateToken> Read(string source)
    {
        source = source.ReplaceLineEndings("\n");
        var lexer = new TemplateLexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        var trimsNext = Trim.None;
        while (_at < _source.Length)
        {
            var tag = FindTag();
            var text = _source[_at..tag];
            var sign = tag + 2 < _source.Length ? _source[tag + 2] : ' ';
            var kept = TrimStart(text, trimsNext);
            if (tag < _source.Length)
                kept = TrimEnd(kept, tag, sign, isStart: kept.Length == text.Length);
            if (kept.Length > 0)
                _tokens.Add(new(TemplateTokenKind.Text, kept, _line));
            Advance(tag);
            if (_at < _source.Length)
                trimsNext = ReadTag(hasSign: sign is '-' or '+');
        }
        _tokens.Add(new(TemplateTokenKind.End, "", _line));
    }

    private enum Trim
    {
        None,
        LineFeed,
        All,
    }

    private int FindTag()
    {
        for (var at = _source.IndexOf('{', _at); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        }
        return _source.Length;
    }

    private static string TrimStart(string text, Trim trim) => trim switch
    {
        Trim.All => text.TrimStart(),
        Trim.LineFeed => text.StartsWith('\n') ? text[1..] : text,
        _ => text,
    };

    /// <param name="isStart">Whether nothing was cut from the start of the text, so that its first line may begin in the middle of a line of the template.</param>
    private string TrimEnd(string text, int tag, char sign, bool isStart)
    {
        if (sign == '-')
            return text.TrimEnd();
        if (sign == '+' || _source[tag + 1] == '{')
            return text;
        var kept = text.TrimEnd(' ', '\t');
        var beginsLine = kept.Length > 0 ? kept[^1] == '\n' : tag == text.Length || _source[tag - text.Length - 1] == '\n' || !isStart;
        return beginsLine ? kept : text;
    }

    /// <summary>Reads from <c>{</c> to behind the end of the tag.</summary>
    private Trim ReadTag(bool hasSign)
    {
        var kind = _source[_at + 1];
        if (kind == '#')
        {
            var end = _source.IndexOf("#}", _at + 2, StringComparison.Ordinal);
            if (end < 0)
                throw new TemplateException("a comment does not end", _line);
            var sign = _source[end - 1];
            Advance(end + 2);
            return sign == '-' ? Trim.All : sign == '+' ? Trim.None : Trim.LineFeed;
        }
        _tokens.Add(new(kind == '{' ? TemplateTokenKind.PrintBegin : TemplateTokenKind.BlockBegin, "", _line));
        _at += hasSign ? 3 : 2;
        return ReadInside(kind == '{' ? "}}" : "%}", kind == '{' ? TemplateTokenKind.PrintEnd : TemplateTokenKind.BlockEnd);
    }

    private Trim ReadInside(string end, TemplateTokenKind endKind)
    {
        var open = 0;
        while (true)
        {
            SkipSpace();
            if (_at >= _source.Length)
                throw new TemplateException($"a tag does not end in '{end}'", _line);
            var rest = _source.AsSpan(_at);
            var signed = rest[0] is '-' or '+' && rest[1..].StartsWith(end);
            if (open == 0 && (signed || rest.StartsWith(end)))
            {
                _tokens.Add(new(endKind, "", _line));
                _at += end.Length + (signed ? 1 : 0);
                return signed ? rest[0] == '-' ? Trim.All : Trim.None : endKind == TemplateTokenKind.BlockEnd ? Trim.LineFeed : Trim.None;
            }
            var token = ReadToken(rest);
            open += token.Kind != TemplateTokenKind.Operator ? 0 : token.Text is "(" or "[" or "{" ? 1 : token.Text is ")" or "]" or "}" ? -1 : 0;
            _tokens.Add(token);
        }
    }

    private TemplateToken ReadToken(ReadOnlySpan<char> rest)
    {
        if (rest[0] is '\'' or '"')
            return ReadString(rest[0]);
        if (char.IsAsciiDigit(rest[0]))
            return ReadNumber(rest);
        if (char.IsLetter(rest[0]) || rest[0] == '_')
        {
            var length = 1;
            while (length < rest.Length && (char.IsLetterOrDigit(rest[length]) || rest[length] == '_'))
                length++;
            _at += length;
            return new(TemplateTokenKind.Name, rest[..length].ToString(), _line);
        }
        foreach (var name in Operators)
        {
            if (rest.StartsWith(name))
            {
                _at += name.Length;
                return new(TemplateTokenKind.Operator, name, _line);
            }
        }
        throw new TemplateException($"'{rest[0]}' means nothing here", _line);
    }

    private TemplateToken ReadNumber(ReadOnlySpan<char> rest)
    {
        var length = 0;
        while (length < rest.Length && (char.IsAsciiDigit(rest[length]) || rest[length] == '_'))
            length++;
        var isFloat = length + 1 < rest.Length && rest[length] == '.' && char.IsAsciiDigit(rest[length + 1]);
        for (length += isFloat ? 1 : 0; isFloat && length < rest.Length && char.IsAsciiDigit(rest[length]); length++)
        {
        }
        _at += length;
        var text = rest[..length].ToString().Replace("_", "", StringComparison.Ordinal);
        if (!isFloat && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw new TemplateException($"the number {text} is too large", _line);
        return new(isFloat ? TemplateTokenKind.Float : TemplateTokenKind.Integer, text, _line);
    }

    private TemplateToken ReadString(char quote)
    {
        var (value, line) = (new StringBuilder(), _line);
        for (_at++; _at < _source.Length; _at++)
        {
            var letter = _source[_at];
            if (letter == quote)
            {
                _at++;
                return new(TemplateTokenKind.StringLiteral, value.ToString(), line);
            }
            _line += letter == '\n' ? 1 : 0;
            value.Append(letter == '\\' && _at + 1 < _source.Length ? ReadEscape() : letter.ToString());
        }
        throw new TemplateException("a string does not end", line);
    }

    /// <summary>Python's escapes; an unknown one stays as it is written.</summary>
    private string ReadEscape()
    {
        var letter = _source[++_at];
        var digits = letter switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0 && _at + digits < _source.Length
            && int.TryParse(_source.AsSpan(_at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && Rune.IsValid(code))
        {
            _at += digits;
            return new Rune(code).ToString();
        }
        return letter switch
        {
            'n' => "\n", 't' => "\t", 'r' => "\r", '\\' => "\\", '\'' => "'", '"' => "\"", 'b' => "\b", 'f' => "\f", 'v' => "\v", 'a' => "\a", '\n' => "",
            _ => "\\" + letter,
        };
    }

    private void SkipSpace()
    {
        while (_at < _source.Length && char.IsWhiteSpace(_source[_at]))
            Advance(_at + 1);
    }

    private void Advance(int to)
    {
        _line += _source.AsSpan(_at, to - _at).Count('\n');
        _at = to;
    }
}
