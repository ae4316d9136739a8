using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Cli.Tests.Eval;

public sealed class EvalCommandTests : IDisposable
{
    private const string Config = """
        {"model_type":"llama","hidden_size":32,"intermediate_size":64,"num_hidden_layers":1,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":320,"max_position_embeddings":64,"torch_dtype":"float32"}
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly string _base;
    private readonly string _near;
    private readonly string _far;
    private readonly string _text;

    /// <summary>A Llama of one layer with random weights, and two that are more and more unlike it.</summary>
    public EvalCommandTests()
    {
        _base = Write("base", 0);
        _near = Write("near", 0.002f);
        _far = Write("far", 0.02f);
        _text = _folder.Write("text.txt", string.Concat(Enumerable.Range(0, 60).Select(index => $"the {index} and on a hen in the sand. ")));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Several_models_are_compared_with_a_base_that_runs_once()
    {
        var plot = _folder.File("out.svg");
        var run = CommandRun.Of("eval", _near, _far, "--against", _base, "--text", _text, "--context", "32", "--chunks", "6", "--kv-precision", "f32", "--plot", plot, "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        var models = run.Json.GetProperty("models");
        Assert.Equal((32, 6, 2), (run.Json.GetProperty("context").GetInt32(), run.Json.GetProperty("windows").GetInt32(), models.GetArrayLength()));
        Assert.Equal(6 * 15, models[0].GetProperty("tokens").GetInt32());
        Assert.InRange(run.Json.GetProperty("against").GetProperty("perplexity").GetDouble(), 100, 2000);
        double Mean(int index) => models[index].GetProperty("kl_divergence").GetProperty("mean").GetDouble();
        Assert.InRange(Mean(0), 1e-9, Mean(1) / 10);
        Assert.True(models[0].GetProperty("same_top").GetDouble() >= models[1].GetProperty("same_top").GetDouble());
        Assert.Equal(new FileInfo(Path.Combine(_near, "model.safetensors")).Length, models[0].GetProperty("file_bytes").GetInt64());
        Assert.Equal(32, models[0].GetProperty("bits_per_weight").GetDouble(), 2);
        var drawing = XDocument.Parse(File.ReadAllText(plot));
        Assert.Equal(2, drawing.Descendants().Count(element => element.Name.LocalName == "circle"));
        Assert.Contains("far", drawing.Root!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_does_not_diverge_from_itself_and_kept_predictions_serve_again()
    {
        var logits = _folder.File("base.logits");
        string[] arguments = ["eval", _base, "--against", _base, "--text", _text, "--context", "16", "--chunks", "3", "--logits", logits, "--json"];
        var first = CommandRun.Of(arguments).Json;
        Assert.InRange(first.GetProperty("kl_divergence").GetProperty("mean").GetDouble(), 0, 1e-7);
        Assert.Equal(1, first.GetProperty("same_top").GetDouble());
        var second = CommandRun.Of(arguments).Json;
        Assert.Equal(JsonValueKind.Null, second.GetProperty("against").GetProperty("tokens_per_second").ValueKind);
        Assert.Equal(first.GetProperty("kl_divergence").GetRawText(), second.GetProperty("kl_divergence").GetRawText());
        Assert.Equal(first.GetProperty("against").GetProperty("perplexity").GetDouble(), second.GetProperty("against").GetProperty("perplexity").GetDouble(), 2);
    }

    [Fact]
    public void A_table_names_every_model_and_what_was_read()
    {
        var run = CommandRun.Of("eval", _near, "--against", _base, "--text", _text, "--chunks", "2");
        Assert.True(run.ExitCode == 0, run.Error);
        foreach (var part in (string[])["base ", "near ", "perplexity", "KL divergence", "same top", "2 windows of 64 tokens of text.txt, 62 tokens scored", "divergence from base, in nats"])
            Assert.Contains(part, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_member_of_the_answer_is_in_the_page()
    {
        var json = CommandRun.Of("eval", _near, "--against", _base, "--text", _text, "--chunks", "1", "--json").Json;
        var page = Repository.Read("docs/command-line.md");
        var section = page[page.IndexOf("## plimsoll eval\n", StringComparison.Ordinal)..page.IndexOf("## plimsoll tokenize\n", StringComparison.Ordinal)];
        foreach (var name in json.EnumerateObject().Concat(json.GetProperty("kl_divergence").EnumerateObject()).Select(member => member.Name).Where(name => name != "schema"))
            Assert.Contains($"`{name}`", section, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_input_is_told_in_a_sentence()
    {
        var other = Write("other", 0, TinyTokenizer.ByteLevel().Replace("\"h e\", ", "", StringComparison.Ordinal));
        var wrong = Write("wrong", 0, TinyTokenizer.ByteLevel().Replace("\"id\": 301", "\"id\": 400", StringComparison.Ordinal)
            .Replace(JsonSerializer.Serialize("<|user|>"), "\"hen\"", StringComparison.Ordinal).Replace("\"special\": true", "\"special\": false", StringComparison.Ordinal));
        var latin = _folder.Write("latin.txt", [0xE9]);
        var notLogits = _folder.Write("some.logits", "text");
        (int Code, string[] Args)[] rows =
        [
            (2, [_base]),
            (2, [_base, "--text", _text, "--plot", "out.png"]),
            (2, [_base, "--text", _text, "--logits", "x"]),
            (2, [_base, "--text", _text, "--context", "3"]),
            (2, [_base, "--text", _text, "--kv-precision", "q3_k"]),
            (2, [other, "--against", _base, "--text", _text]),
            (2, ["llama-3.1-8b", "--text", _text]),
            (3, [_base, "--text", _folder.File("missing.txt")]),
            (3, [_base, "--text", latin]),
            (3, [_base, "--text", _folder.Write("short.txt", "a hen")]),
            (3, [wrong, "--text", _text]),
            (3, [_base, "--text", _text, "--against", _base, "--logits", notLogits]),
        ];
        var text = new StringBuilder();
        foreach (var (code, args) in rows)
        {
            var run = CommandRun.Of(["eval", .. args]);
            Assert.True((run.ExitCode, run.Output) == (code, ""), $"{string.Join(' ', args)}: {run.ExitCode} {run.Output} {run.Error}");
            text.Append(run.Error.Replace(_folder.Path, "FOLDER", StringComparison.Ordinal));
        }
        Golden.Match("eval-refusals.txt", text.ToString());
    }

    private string Write(string name, float change, string? tokenizer = null)
    {
        var (random, noise) = (new Random(5), new Random(6));
        var tensors = new List<(string Name, int[] Shape)> { ("model.embed_tokens.weight", [320, 32]), ("model.norm.weight", [32]), ("lm_head.weight", [320, 32]) };
        (string, int[])[] layer =
        [
            ("input_layernorm", [32]), ("post_attention_layernorm", [32]), ("self_attn.q_proj", [32, 32]), ("self_attn.k_proj", [16, 32]), ("self_attn.v_proj", [16, 32]), ("self_attn.o_proj", [32, 32]),
            ("mlp.gate_proj", [64, 32]), ("mlp.up_proj", [64, 32]), ("mlp.down_proj", [32, 64]),
        ];
        tensors.AddRange(layer.Select(tensor => ($"model.layers.0.{tensor.Item1}.weight", tensor.Item2)));
        var (header, data) = (new List<string>(), new List<byte>());
        foreach (var (tensor, shape) in tensors)
        {
            var count = shape.Aggregate(1, (product, size) => product * size);
            header.Add($"\"{tensor}\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{data.Count},{data.Count + 4 * count}]}}");
            for (var index = 0; index < count; index++)
            {
                var value = (shape.Length == 1 ? 1 : random.NextSingle() - 0.5f) + change * (noise.NextSingle() - 0.5f);
                var bytes = new byte[4];
                BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                data.AddRange(bytes);
            }
        }
        var json = Encoding.UTF8.GetBytes($"{{{string.Join(',', header)}}}");
        _folder.Write($"{name}/model.safetensors", [.. BitConverter.GetBytes((long)json.Length), .. json, .. data]);
        _folder.Write($"{name}/config.json", Config);
        _folder.Write($"{name}/tokenizer.json", tokenizer ?? TinyTokenizer.ByteLevel());
        return _folder.File(name);
    }
}
