using System.Text.Json;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Cli.Tests.Inspect;

public sealed class InspectCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_model_of_two_shards_is_shown_with_its_tokenizer()
    {
        Write("tiny-llama", TinyLlama.Plain(), TinyLlama.Config(), shards: 2);
        folder.Write("tiny-llama/tokenizer.json", """{"added_tokens":[{"id":998,"content":"<s>"},{"id":999,"content":"</s>"}],"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0,"b":997},"merges":["a b"]}}""");
        folder.Write("tiny-llama/tokenizer_config.json", """{"tokenizer_class":"PreTrainedTokenizerFast","bos_token":"<s>","eos_token":"</s>","chat_template":"x"}""");
        Match("model.txt", 0, "tiny-llama", "--check");
        Match("model.json", 0, "tiny-llama", "--json");
    }

    [Fact]
    public void A_quantized_model_shows_what_is_packed_and_what_is_not()
    {
        var layout = QuantizedLayout.Of("gptq-4-g128");
        Write("tiny-gptq", TinyLlama.Linear(layout.Store), TinyLlama.Config(layout.Config));
        Match("gptq.txt", 0, "tiny-gptq", "--check");
    }

    [Fact]
    public void Problems_are_told_and_end_with_1_when_asked_for()
    {
        var layout = QuantizedLayout.Of("gptq-4-g128");
        var damaged = TinyLlama.Linear(layout.Store).Where(tensor => !tensor.Name.EndsWith("up_proj.scales", StringComparison.Ordinal)).Append(new("model.layers.0.extra.weight", "BF16", 4));
        Write("damaged", damaged, TinyLlama.Config(layout.Config));
        Match("damaged.txt", 1, "damaged", "--check");
        Match("damaged.json", 1, "damaged", "--check", "--json");
        Assert.Equal(0, Run("damaged").ExitCode);
        Assert.Contains("checked that a GGUF file has the keys and blocks that llama.cpp requires (gguf)", Run("damaged", "--check", "--verbose").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_GGUF_file_is_shown_with_its_keys_and_tensors()
    {
        folder.Write("tiny.gguf", new TinyGguf(blocks: 1).Usual(1).File());
        Match("gguf.txt", 0, "tiny.gguf", "--metadata", "--tensors");
    }

    [Fact]
    public void A_folder_of_several_checkpoints_has_a_line_for_each()
    {
        folder.Write("models/tiny.gguf", new TinyGguf().Usual().File());
        folder.Write("models/broken.gguf", "GGUF and then nothing");
        folder.Write("models/config-only/config.json", TinyLlama.Config());
        folder.Write("models/adapter/adapter_model.safetensors", SafetensorsBuilder.File([new("layers.0.q_proj.lora_A.weight", "F32", 8, 64), new("layers.0.q_proj.lora_B.weight", "F32", 64, 8)]));
        Write("models/llama", TinyLlama.Plain(), TinyLlama.Config(tied: true));
        Match("folder.txt", 3, "models");
        Match("folder.json", 3, "models", "--json");
    }

    [Fact]
    public void A_list_of_tensors_is_in_JSON_whenever_one_checkpoint_is_asked_for()
    {
        Write("one", TinyLlama.Plain(), TinyLlama.Config());
        var tensors = Run("one", "--json").Json.GetProperty("tensors").EnumerateArray().ToList();
        Assert.Equal(21, tensors.Count);
        Assert.Equal(("model.embed_tokens.weight", "BF16", 512_000L), (tensors[0].GetProperty("name").GetString(), tensors[0].GetProperty("type").GetString(), tensors[0].GetProperty("bytes").GetInt64()));
        Assert.Equal([1000L, 256], tensors[0].GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()));
    }

    [Theory]
    [InlineData(3, "no such file or folder", "./nothing.gguf")]
    [InlineData(3, "no such file or folder", "nothing")]
    [InlineData(3, "no such file or folder", "nothing/at/all")]
    [InlineData(4, "org/model", "org/model", "--offline")]
    [InlineData(2, "is no model on the hub", "org/mo del")]
    [InlineData(2, "Required argument 'PATH' missing")]
    public void Mistakes_are_named(int exitCode, string message, params string[] args)
    {
        var run = CommandRun.Of(["inspect", .. args]);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
    }

    [Fact]
    public void Weights_are_read_when_problems_are_asked_for()
    {
        Write("sound", TinyLlama.Plain(), TinyLlama.Config());
        Write("torn", TinyLlama.Plain(), TinyLlama.Config());
        var path = folder.File("torn/model.safetensors");
        var bytes = File.ReadAllBytes(path);
        bytes[^1] = 0x7F;
        bytes[^2] = 0xC0;
        File.WriteAllBytes(path, bytes);
        Assert.Equal(0, Run("torn").ExitCode);
        var run = Run("torn", "--check");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("lm_head.weight[999, 255] is NaN.", run.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        var against = Run("sound", "--check", "--against", folder.File("sound"), "--verbose");
        Assert.True(against.ExitCode == 0, against.Output);
        Assert.Contains("checked that the weights are those of the reference, with --against (reference)", against.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "--against goes with --check", "sound", "--against", "sound")]
    [InlineData(3, "nothing: no such file or folder", "sound", "--check", "--against", "nothing")]
    public void A_reference_needs_a_check_and_must_be_here(int exitCode, string message, string target, params string[] options)
    {
        Write("sound", TinyLlama.Plain(), TinyLlama.Config());
        var run = Run(target, options);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
    }

    [Fact]
    public void A_bad_file_ends_with_3_and_its_sentence()
    {
        folder.Write("cut.safetensors", SafetensorsBuilder.File([new("a", "F32", 100)])[..^8]);
        var run = Run("cut.safetensors");
        Assert.Equal((3, ""), (run.ExitCode, run.Output));
        Assert.Contains("expected 400 bytes of tensor data after the header, found 392 (the file is cut off)", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_folder_is_no_checkpoint()
    {
        Directory.CreateDirectory(folder.File("empty"));
        var run = Run("empty");
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("expected a folder with *.safetensors, pytorch_model*.bin or *.gguf, found none of them", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_in_the_cache_of_the_hub_is_inspected_without_a_network()
    {
        var commit = new string('a', 40);
        var cache = $"hub/models--org--tiny/snapshots/{commit}";
        Write(cache, TinyLlama.Plain(), TinyLlama.Config());
        folder.Write("hub/models--org--tiny/refs/main", commit);
        folder.Write($"{cache}/tokenizer_config.json", """{"tokenizer_class":"LlamaTokenizer","bos_token":"<s>"}""");
        var run = CommandRun.Of(new Dictionary<string, string> { ["HF_HOME"] = folder.Path }, "inspect", "org/tiny", "--offline", "--json", "--check");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(("org/tiny", "llama", TinyLlama.Parameters), (run.Json.GetProperty("path").GetString(), run.Json.GetProperty("architecture").GetString(), run.Json.GetProperty("parameters").GetInt64()));
        Assert.Equal("LlamaTokenizer", run.Json.GetProperty("tokenizer").GetProperty("kind").GetString());
        // The whole cache is a folder of checkpoints as well.
        Assert.Equal(0, Run("hub").ExitCode);
    }

    [Fact]
    public void Control_characters_of_a_file_do_not_reach_the_terminal()
    {
        folder.Write("evil.gguf", new GgufBuilder().Text("general.architecture", "llama").Text("general.name", "a\u001b[31m\nb").Text("x", "c\u0007").Tensor("t\u001b[2J\nu", 0, 0, 8).File(32));
        var run = Run("evil.gguf", "--metadata", "--tensors", "--check");
        Assert.DoesNotContain(run.Output, letter => char.IsControl(letter) && letter is not ('\n' or '\r'));
        Assert.Contains("t\\x1b[2J\\nu  FP32", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models/stories260k/stories260K-Q4_K_M.gguf", "stories260k-q4.txt", 0)]
    [InlineData("models/llama2xs/ckpt.pt", "llama2xs.txt", 0)]
    [InlineData("models/babyllama-tok105/babyllama-tok105-f32.gguf", "babyllama.txt", 1)]
    [InlineData("models/tiny-random/llama-2-tiny-random.gguf", "llama-2-tiny-random.txt", 0)]
    [InlineData("tokenizers/gguf-vocab/ggml-vocab-falcon.gguf", "vocab-falcon.txt", 0)]
    [InlineData("configs/qwen-vl-chat-int4-gptq", "qwen-vl-index.txt", 1)]
    [InlineData("configs/orpheus-3b-quantized", "orpheus.txt", 0)]
    public void Shared_files_are_described(string path, string golden, int exitCode)
    {
        var run = CommandRun.Of("inspect", SharedData.Require(path), "--check");
        Assert.Equal(exitCode, run.ExitCode);
        Golden.Match(golden, run.Output);
    }

    [Fact]
    public void No_fuzzed_file_ends_in_a_bug()
    {
        var codes = Directory.EnumerateFiles(SharedData.Require("malformed/gguf-fuzz")).Select(file => CommandRun.Of("inspect", file, "--check").ExitCode).ToList();
        Assert.Equal(123, codes.Count);
        Assert.All(codes, code => Assert.True(code is 0 or 1 or 3));
        Assert.Contains(3, codes);
    }

    private CommandRun Run(string path, params string[] options) => CommandRun.Of(["inspect", folder.File(path), .. options]);

    /// <summary>The folder's own path differs from run to run.</summary>
    private void Match(string golden, int exitCode, string path, params string[] options)
    {
        var run = Run(path, options);
        Assert.True(exitCode == run.ExitCode, $"exit code {run.ExitCode}: {run.Error}");
        Golden.Match(golden, (run.Output + run.Error).Replace(JsonEncodedText.Encode(folder.Path).ToString(), "FOLDER", StringComparison.Ordinal));
    }

    private void Write(string name, IEnumerable<StoredTensor> tensors, string config, int shards = 1)
    {
        var all = tensors.ToList();
        folder.Write($"{name}/config.json", config);
        if (shards == 1)
        {
            folder.Write($"{name}/model.safetensors", FilledSafetensors.File(all, """{"format":"pt"}"""));
            return;
        }
        var map = new List<string>();
        foreach (var (chunk, index) in all.Chunk((all.Count + shards - 1) / shards).Select((chunk, index) => (chunk, index)))
        {
            var file = $"model-{index + 1:D5}-of-{shards:D5}.safetensors";
            folder.Write($"{name}/{file}", FilledSafetensors.File(chunk, """{"format":"pt"}"""));
            map.AddRange(chunk.Select(tensor => $"\"{tensor.Name}\":\"{file}\""));
        }
        folder.Write($"{name}/model.safetensors.index.json", $"{{\"metadata\":{{\"total_size\":{all.Sum(tensor => tensor.Bytes)}}},\"weight_map\":{{{string.Join(',', map)}}}}}");
    }
}
