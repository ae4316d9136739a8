namespace Plimsoll.Checkpoints.Templates;

/// <summary>A template cannot be read or carried out: what is wrong, and in which line. The template is bad, or asks for something that we do not know.</summary>
public sealed class TemplateException : Exception
{
    /// <param name="line">1 for the first line of the template; 0 when no line is to blame.</param>
    public TemplateException(string message, int line = 0)
        : base(line > 0 ? $"chat template, line {line}: {message}" : $"chat template: {message}") => (Reason, Line) = (message, line);

    /// <summary>The message without the place.</summary>
    public string Reason { get; }

    public int Line { get; }
}

/// <summary>The template itself refuses the conversation, by <c>raise_exception</c>.</summary>
public sealed class TemplateRefusalException(string message) : Exception(message);
