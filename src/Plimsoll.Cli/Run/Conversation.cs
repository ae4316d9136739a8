using Plimsoll.Checkpoints.Templates;
using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Cli.Run;

/// <summary>The turns of a chat, and the tokens that the model's own template makes of them.</summary>
internal sealed class Conversation
{
    private readonly string path;
    private readonly Tokenizer tokenizer;
    private readonly TimeProvider time;
    private readonly ChatTemplate template;
    private readonly List<ChatMessage> messages = [];

    /// <param name="path">The model, for messages.</param>
    /// <param name="system">What the model is told before the first turn; null for nothing.</param>
    /// <exception cref="CliException">The model has no template, or one that cannot be read.</exception>
    public Conversation(string path, Tokenizer tokenizer, string? system, TimeProvider time)
    {
        (this.path, this.tokenizer, this.time) = (path, tokenizer, time);
        var source = tokenizer.Vocabulary.ChatTemplate
            ?? throw CliException.BadInput($"{path}: the model has no chat template", "it was made to go on from a text: leave --chat out, or take the instruction-tuned model");
        try
        {
            template = ChatTemplate.Parse(source);
        }
        catch (TemplateException failure)
        {
            throw Unreadable(failure);
        }
        if (system is not null)
            messages.Add(new("system", system));
    }

    public IReadOnlyList<ChatMessage> Messages => messages;

    /// <summary>Adds a turn of the user.</summary>
    /// <returns>The tokens of the whole conversation up to where the model's turn begins.</returns>
    /// <exception cref="CliException">The template refuses the conversation.</exception>
    public int[] Ask(string text)
    {
        messages.Add(new("user", text));
        var special = tokenizer.Vocabulary.Special;
        try
        {
            var rendered = template.Render(messages, new() { BosToken = Text(special.Bos), EosToken = Text(special.Eos), Time = time });
            // Templates write the token that begins a text themselves, as transformers expects of them.
            return tokenizer.Encode(rendered, addSpecial: false, parseSpecial: true);
        }
        catch (TemplateRefusalException refusal)
        {
            throw CliException.BadInput($"{path}: the chat template refuses the conversation: {refusal.Message}", "some models take no --system, or want other turns");
        }
        catch (TemplateException failure)
        {
            throw Unreadable(failure);
        }
    }

    public void Answer(string text) => messages.Add(new("assistant", text));

    private string Text(int? token) => token is { } id ? tokenizer.Vocabulary.Tokens[id] : "";

    private CliException Unreadable(TemplateException failure) => CliException.BadInput($"{path}: the chat template cannot be carried out: {failure.Message}", "leave --chat out to go on from plain text");
}
