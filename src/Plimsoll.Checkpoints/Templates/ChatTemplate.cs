using System.Text.Json;

namespace Plimsoll.Checkpoints.Templates;

/// <summary>A chat template: the Jinja program in a model's files that turns a conversation into the text it was trained on.</summary>
/// <remarks>
/// The part of Jinja that real templates use, carried out by an interpreter of our own that can neither reach anything nor run without end: conditions, loops with
/// filters, break and continue, assignments and namespaces, macros and call blocks, filters, tests, methods of strings, lists and mappings, with the white-space
/// settings and functions of Hugging Face's transformers. What it does not know it refuses by name when the template is read.
/// </remarks>
public sealed class ChatTemplate
{
    private readonly Statement _body;

    private ChatTemplate(Statement body) => _body = body;

    /// <exception cref="TemplateException">The template is not Jinja, or uses what is not known here.</exception>
    public static ChatTemplate Parse(string template) => new(StatementParser.Parse(template));

    /// <summary>The text of a conversation.</summary>
    /// <param name="messages">The turns, oldest first.</param>
    /// <param name="options">What else the template may ask for.</param>
    /// <exception cref="TemplateException">The template asks for what is not there, or runs without end.</exception>
    /// <exception cref="TemplateRefusalException">The template refuses the conversation; the message is its own.</exception>
    public string Render(IEnumerable<ChatMessage> messages, ChatTemplateOptions options) => Render(messages.Select(message => (object?)new TemplateMap
    {
        ["role"] = message.Role,
        ["content"] = message.Content,
    }).ToList(), options);

    /// <summary>The text of a conversation whose messages have more than role and content (tool calls, parts of content).</summary>
    /// <param name="messages">An array of objects.</param>
    /// <inheritdoc cref="Render(IEnumerable{ChatMessage}, ChatTemplateOptions)"/>
    public string Render(JsonElement messages, ChatTemplateOptions options) => Render(TemplateValues.FromJson(messages), options);

    private string Render(object? messages, ChatTemplateOptions options)
    {
        var run = new TemplateRun(options.Time);
        var globals = new TemplateScope(null, run);
        TemplateGlobals.AddTo(globals);
        globals.Set("messages", messages);
        globals.Set("add_generation_prompt", options.AddGenerationPrompt);
        globals.Set("bos_token", options.BosToken);
        globals.Set("eos_token", options.EosToken);
        globals.Set("tools", options.Tools is { } tools ? TemplateValues.FromJson(tools) : null);
        foreach (var (name, value) in options.Variables)
            globals.Set(name, TemplateValues.FromJson(value));
        _body(new(globals, run));
        return run.Output.ToString();
    }
}

/// <summary>One turn of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>What a chat template may ask for besides the messages.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Ends with what begins the assistant's turn.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>The text of the token that begins a text; empty for models without one.</summary>
    public string BosToken { get; init; } = "";

    public string EosToken { get; init; } = "";

    /// <summary>Descriptions of functions, an array of JSON schemas; null for none.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Switches of a template's own, such as <c>enable_thinking</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>What today is.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
