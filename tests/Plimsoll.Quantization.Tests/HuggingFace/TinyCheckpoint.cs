using Plimsoll.Models;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace;

/// <summary>A Llama of one layer with normally distributed weights, as transformers saves it, and conversions of it.</summary>
internal sealed class TinyCheckpoint : IDisposable
{
    public const int Hidden = 128;
    public const int Width = 256;

    private const string Facts = """
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 1,
        "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 64, "max_position_embeddings": 256
        """;

    private readonly TemporaryFolder folder = new();

    public TinyCheckpoint(bool isTied = false, string? quantization = null, Action<TensorFile, string, int, int>? layer = null, string torchType = "bfloat16")
    {
        var random = new Random(7);
        Write("config.json", $$"""{ {{Facts}}, "torch_dtype": "{{torchType}}", "tie_word_embeddings": {{(isTied ? "true" : "false")}}{{(quantization is null ? "" : $", \"quantization_config\": {quantization}")}} }""");
        Write("special_tokens_map.json", """{"bos_token":"<s>"}""");
        Write("generation_config.json", """{"do_sample":true}""");
        Write("training_args.bin", "not taken over");
        var file = new TensorFile();
        file.AddBf16("model.embed_tokens.weight", [64, Hidden], Normal(random, 64 * Hidden));
        foreach (var (module, outputs, inputs) in Layers)
        {
            if (layer is null)
                file.AddBf16(module + ".weight", [outputs, inputs], Normal(random, outputs * inputs));
            else
                layer(file, module, outputs, inputs);
        }
        foreach (var norm in (string[])["model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm", "model.norm"])
            file.AddBf16(norm + ".weight", [Hidden], [.. Enumerable.Repeat(1f, Hidden)]);
        if (!isTied)
            file.AddBf16("lm_head.weight", [64, Hidden], Normal(random, 64 * Hidden));
        Directory.CreateDirectory(Source);
        folder.Write("source/model.safetensors", file.ToBytes());
        Original = file;
    }

    public static (string Module, int Outputs, int Inputs)[] Layers =>
    [
        ("model.layers.0.self_attn.q_proj", Hidden, Hidden), ("model.layers.0.self_attn.k_proj", Hidden, Hidden), ("model.layers.0.self_attn.v_proj", Hidden, Hidden),
        ("model.layers.0.self_attn.o_proj", Hidden, Hidden), ("model.layers.0.mlp.gate_proj", Width, Hidden), ("model.layers.0.mlp.up_proj", Width, Hidden),
        ("model.layers.0.mlp.down_proj", Hidden, Width),
    ];

    public TensorFile Original { get; }

    public string Source => folder.File("source");

    public string Target => folder.File("target");

    public OutputPlan Plan(string precision, bool requantize = false, string? source = null, long shardBytes = 5_000_000_000) => HuggingFaceConversion.Plan(
        ModelLocator.FromPath(source ?? Source), HuggingFaceRecipe.Find(precision)! with { AllowRequantize = requantize, MaxShardBytes = shardBytes });

    /// <summary>Converts the source, or another folder, and reads what was written.</summary>
    public TensorFile Convert(string precision, out QuantizationReport report, bool requantize = false, string? source = null, string? target = null, long shardBytes = 5_000_000_000)
    {
        var path = target ?? Target;
        report = QuantizationRunner.Run(
            Plan(precision, requantize, source, shardBytes),
            new() { Target = path, Recipe = precision, SourceFiles = [], Threads = 2, Replace = true }, CancellationToken.None);
        return TensorFile.Read(path);
    }

    public string File(string name) => folder.File(name);

    public void Write(string name, string text) => folder.Write(Path.Combine("source", name), text);

    public void Dispose() => folder.Dispose();

    public static float[] Normal(Random random, int count, double deviation = 0.05) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()) * deviation))];
}
