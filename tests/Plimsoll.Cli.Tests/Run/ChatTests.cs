using Plimsoll.Testing.Builders;

namespace Plimsoll.Cli.Tests.Run;

/// <summary><c>run --chat</c> and <c>run --batch</c>.</summary>
public sealed class ChatTests : IDisposable
{
    private const string Template = "{% for m in messages %}{% if m.role == 'system' %}{% if loop.length > 3 %}{{ raise_exception('too long') }}{% endif %}"
        + "{{ m.content }}\\n{% else %}<|user|>{{ m.role }}: {{ m.content }}\\n{% endif %}{% endfor %}{% if add_generation_prompt %}<|user|>assistant:{% endif %}";

    private readonly TemporaryFolder folder = new();
    private readonly string model;

    public ChatTests()
    {
        model = TinyFolder.Write(folder, TinyModels.Llama(), "llama", """ "rope_theta": 10000.0 """);
        folder.Write("hf/tokenizer.json", TinyTokenizer.ByteLevel());
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_turn_is_answered_as_the_text_of_the_template_would_be()
    {
        WriteTemplate();
        var chat = CommandRun.Of("run", model, "--chat", "--prompt", "the hand", "-n", "8", "--json").Json;
        var rendered = CommandRun.Of("tokenize", model, "--text", "<|user|>user: the hand\n<|user|>assistant:", "--parse-special", "--json").Json;
        Assert.Equal(rendered.GetProperty("ids").GetArrayLength(), chat.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(["user", "assistant"], chat.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        Assert.Equal(chat.GetProperty("text").GetString(), chat.GetProperty("messages")[1].GetProperty("content").GetString());
    }

    [Fact]
    public void Lines_of_stdin_are_turns_and_what_they_share_is_computed_once()
    {
        WriteTemplate();
        var both = CommandRun.WithInput("the hand\n\nin the\n"u8.ToArray(), "run", model, "--chat", "-n", "6", "--json").Json;
        var first = CommandRun.Of("run", model, "--chat", "--prompt", "the hand", "-n", "6", "--json").Json;
        Assert.Equal(["user", "assistant", "user", "assistant"], both.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        Assert.Equal(first.GetProperty("text").GetString(), both.GetProperty("messages")[1].GetProperty("content").GetString());

        // A fresh run over the whole conversation, the first answer put into the template, says the same.
        WriteTemplate(Template.Replace("{% for m in messages %}", "<|user|>user: the hand\\n<|user|>assistant: {{ '" + Escaped(first.GetProperty("text").GetString()!) + "' }}\\n{% for m in messages %}", StringComparison.Ordinal));
        var fresh = CommandRun.Of("run", model, "--chat", "--prompt", "in the", "-n", "6", "--json").Json;
        Assert.Equal(fresh.GetProperty("text").GetString(), both.GetProperty("text").GetString());
        Assert.True(both.GetProperty("prompt_tokens").GetInt32() < fresh.GetProperty("prompt_tokens").GetInt32() + first.GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public void What_the_system_says_comes_first()
    {
        WriteTemplate();
        var with = CommandRun.Of("run", model, "--chat", "--system", "and on", "--prompt", "the hand", "-n", "4", "--json").Json;
        Assert.Equal("system", with.GetProperty("messages")[0].GetProperty("role").GetString());
        var without = CommandRun.Of("run", model, "--chat", "--prompt", "the hand", "-n", "4", "--json").Json;
        Assert.True(with.GetProperty("prompt_tokens").GetInt32() > without.GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public void What_a_conversation_cannot_be_is_said_in_a_sentence()
    {
        Says(3, "the model has no chat template", "--chat", "--prompt", "the");
        Says(2, "--system is for conversations", "--system", "be brief", "--prompt", "the");
        WriteTemplate();
        Says(3, "the conversation has 21 tokens, more than the context of 8", "--chat", "--prompt", "the hand", "--context", "8");
        var run = CommandRun.WithInput("a\nb\nc\n"u8.ToArray(), "run", model, "--chat", "--system", "x", "-n", "2");
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("the chat template refuses the conversation: too long", run.Error, StringComparison.Ordinal);
        var bytes = CommandRun.WithInput([0x61, 0xFF, 0x0A], "run", model, "--chat");
        Assert.Equal(3, bytes.ExitCode);
        Assert.Contains("stdin: not UTF-8", bytes.Error, StringComparison.Ordinal);
        WriteTemplate("{% for %}");
        Says(3, "the chat template cannot be carried out", "--chat", "--prompt", "the");
    }

    [Fact]
    public void A_smaller_batch_says_the_same_in_less_memory()
    {
        var prompt = string.Concat(Enumerable.Repeat("the hand in and on ", 10));
        var whole = CommandRun.Of("run", model, "--prompt", prompt, "-n", "8", "--json").Json;
        var pieces = CommandRun.Of("run", model, "--prompt", prompt, "-n", "8", "--batch", "4", "--json").Json;
        Assert.Equal(whole.GetProperty("text").GetString(), pieces.GetProperty("text").GetString());
        Assert.True(pieces.GetProperty("planned_bytes").GetInt64() < whole.GetProperty("planned_bytes").GetInt64());
        Says(2, "--batch takes a whole number from 1 to 65536, not '0'", "--prompt", "the", "--batch", "0");
    }

    private void Says(int exitCode, string message, params string[] options)
    {
        var run = CommandRun.Of(["run", model, .. options]);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private void WriteTemplate(string template = Template) => folder.Write("hf/chat_template.jinja", template.Replace("\\n", "\n", StringComparison.Ordinal));

    private static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
