using System.Text.Json;
using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Diagnostics.Tests.OutOfMemory;

public class SharedMessageTests
{
    [Fact]
    public void Every_gathered_message_is_recognized()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("oom/oom_messages.json")));
        // Start-up figures of a run that went well are no event.
        var silent = document.RootElement.EnumerateArray()
            .Where(message => message.GetProperty("family").GetString() != "vllm-log")
            .Select(message => message.GetProperty("message").GetString()!)
            .Where(text => OutOfMemoryReader.Find(LogText.Parse(text)).IsEmpty);
        Assert.Empty(silent);
    }

    [Fact]
    public void Every_gathered_thread_is_recognized()
    {
        var silent = File.ReadLines(SharedData.Require("oom/oom_threads.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            // An excerpt that was cut before its message.
            .Where(thread => thread.GetProperty("kind").GetString() != "deepspeed-log")
            .Where(thread => OutOfMemoryReader.Find(LogText.Parse(thread.GetProperty("text").GetString()!)).IsEmpty)
            .Select(thread => thread.GetProperty("id").GetString() + " " + thread.GetProperty("text").GetString());
        Assert.Empty(silent);
    }
}
