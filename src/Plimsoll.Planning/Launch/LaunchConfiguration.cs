namespace Plimsoll.Planning.Launch;

/// <summary>What starts a planned run with one tool: a command, or a file and the command that reads it.</summary>
/// <param name="Engine">The target: <c>vllm</c>, <c>llama.cpp</c>, <c>deepspeed</c>.</param>
/// <param name="File">The name under which <paramref name="Text"/> is usually saved, for example <c>vllm.sh</c>.</param>
/// <param name="Command">What to type, on one line; where several machines take part, the line of the first one.</param>
/// <param name="Text">The whole file: a shell script, YAML, JSON or Python, comments included.</param>
public sealed record LaunchConfiguration(string Engine, string File, string Command, string Text)
{
    /// <summary>What was planned, on which machines, and what the user still has to bring; the text holds it as comments where its format has comments.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A plan that a tool cannot run as it is, with the reason and what to change.</summary>
/// <param name="hint">The next step; null when the message says it.</param>
public sealed class LaunchRefusedException(string message, string? hint = null) : Exception(message)
{
    public string? Hint { get; } = hint;
}
