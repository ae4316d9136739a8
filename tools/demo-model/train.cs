#:project ../../src/Plimsoll.Checkpoints/Plimsoll.Checkpoints.csproj
#:package TorchSharp@0.107.0
#:package libtorch-cpu-linux-x64@2.10.0
#:package SkiaSharp@2.88.9
#:package SharpZipLib@1.4.1
#:property ManagePackageVersionsCentrally=false
#:property PublishAot=false
#:property IsAotCompatible=false
#:property IsPackable=false
#:property AllowUnsafeBlocks=true

// Trains the demo model: a small Llama on the harbour stories of write-text.cs, written as a Hugging Face folder.
//   dotnet run tools/demo-model/train.cs -- TEXT OUT STEPS
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using TorchSharp.Modules;
using static TorchSharp.torch;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var textPath, var outputFolder, var stepText] || !int.TryParse(stepText, out var steps))
{
    Console.Error.WriteLine("usage: dotnet run train.cs -- TEXT OUT STEPS");
    return 2;
}
LibTorch.MakeLoadable();
const int Batch = 16, Length = 256;
const double PeakRate = 3e-3, FinalRate = 1e-4, Warmup = 100, Decay = 0.05;

var stories = File.ReadAllText(textPath).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
var tokenizer = ByteBpe.Train(stories.Take(4000), vocabularySize: 512);
var (ids, starts) = Tokenize(stories, tokenizer);
Console.Error.WriteLine($"{stories.Length} stories, {ids.Length} tokens, {(double)ids.Length / stories.Length:F0} per story");

manual_seed(1);
var model = new Llama(new(Vocabulary: 512, Hidden: 256, FeedForward: 256, Layers: 3, Heads: 4, KeyValueHeads: 2, Context: Length));
Console.Error.WriteLine($"{model.Parameters.Sum(parameter => parameter.Value.numel())} parameters");
using var optimizer = optim.AdamW((IEnumerable<Parameter>)model.Parameters.Values, PeakRate, 0.9, 0.98, weight_decay: Decay);
var random = new Random(1);
var clock = Stopwatch.StartNew();
var smoothed = double.NaN;
for (var step = 0; step < steps; step++)
{
    using var scope = NewDisposeScope();
    var rate = step < Warmup ? PeakRate * (step + 1) / Warmup : FinalRate + (PeakRate - FinalRate) * 0.5 * (1 + Math.Cos(Math.PI * (step - Warmup) / (steps - Warmup)));
    foreach (var group in optimizer.ParamGroups)
        group.LearningRate = rate;
    var window = new long[Batch * (Length + 1)];
    for (var row = 0; row < Batch; row++)
    {
        var start = starts[random.Next(starts.Length)];
        for (var i = 0; i <= Length; i++)
            window[row * (Length + 1) + i] = ids[start + i];
    }
    var tokens = tensor(window, [Batch, Length + 1]);
    var logits = model.Forward(tokens[.., ..Length]);
    var loss = nn.functional.cross_entropy(logits.view(-1, 512), tokens[.., 1..].reshape(-1));
    optimizer.zero_grad();
    loss.backward();
    nn.utils.clip_grad_norm_(model.Parameters.Values, 1.0);
    optimizer.step();
    var value = loss.item<float>();
    smoothed = double.IsNaN(smoothed) ? value : 0.98 * smoothed + 0.02 * value;
    if (step % 50 == 49)
        Console.Error.WriteLine($"step {step + 1}/{steps}  loss {smoothed:F4}  {(step + 1) * Batch * Length / clock.Elapsed.TotalSeconds:F0} tokens/s");
    if (step % 500 == 499 || step == steps - 1)
        Folder.Write(outputFolder, model, tokenizer);
}
return 0;

(short[] Ids, int[] Starts) Tokenize(string[] texts, ByteBpe bpe)
{
    var all = new List<short>();
    var begins = new List<int>();
    foreach (var text in texts)
    {
        begins.Add(all.Count);
        all.Add((short)bpe.End);
        all.AddRange(bpe.Encode(text).Select(id => (short)id));
    }
    return ([.. all], [.. begins.Where(begin => begin + Length + 1 <= all.Count)]);
}

record Shape(int Vocabulary, int Hidden, int FeedForward, int Layers, int Heads, int KeyValueHeads, int Context)
{
    public const double NormEpsilon = 1e-5, RopeTheta = 10000;

    public int HeadDim => Hidden / Heads;
}

/// <summary>A Llama in the names and layouts of transformers; the output head is the embedding.</summary>
sealed class Llama
{
    private readonly Shape shape;
    private readonly Tensor cosines, sines;

    public Llama(Shape shape)
    {
        this.shape = shape;
        Add("model.embed_tokens.weight", 0.02, shape.Vocabulary, shape.Hidden);
        var residual = 0.02 / Math.Sqrt(2.0 * shape.Layers);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            AddNorm(prefix + "input_layernorm.weight");
            Add(prefix + "self_attn.q_proj.weight", 0.04, shape.Heads * shape.HeadDim, shape.Hidden);
            Add(prefix + "self_attn.k_proj.weight", 0.04, shape.KeyValueHeads * shape.HeadDim, shape.Hidden);
            Add(prefix + "self_attn.v_proj.weight", 0.04, shape.KeyValueHeads * shape.HeadDim, shape.Hidden);
            Add(prefix + "self_attn.o_proj.weight", residual, shape.Hidden, shape.Heads * shape.HeadDim);
            AddNorm(prefix + "post_attention_layernorm.weight");
            Add(prefix + "mlp.gate_proj.weight", 0.04, shape.FeedForward, shape.Hidden);
            Add(prefix + "mlp.up_proj.weight", 0.04, shape.FeedForward, shape.Hidden);
            Add(prefix + "mlp.down_proj.weight", residual, shape.Hidden, shape.FeedForward);
        }
        AddNorm("model.norm.weight");
        var angles = outer(arange(shape.Context, float32), pow(Shape.RopeTheta, arange(0, shape.HeadDim, 2, float32) / -shape.HeadDim));
        (cosines, sines) = (cat([angles.cos(), angles.cos()], -1), cat([angles.sin(), angles.sin()], -1));
    }

    public Shape Shape => shape;

    public Dictionary<string, Parameter> Parameters { get; } = [];

    /// <summary>Logits (batch, length, vocabulary) of tokens (batch, length).</summary>
    public Tensor Forward(Tensor tokens)
    {
        var (batch, length) = (tokens.shape[0], tokens.shape[1]);
        var x = this["model.embed_tokens.weight"].index_select(0, tokens.flatten()).view(batch, length, shape.Hidden);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            var h = Norm(x, prefix + "input_layernorm.weight");
            var q = Rotate(Heads(h, prefix + "self_attn.q_proj.weight", shape.Heads), length);
            var k = Rotate(Heads(h, prefix + "self_attn.k_proj.weight", shape.KeyValueHeads), length);
            var v = Heads(h, prefix + "self_attn.v_proj.weight", shape.KeyValueHeads);
            var repeats = shape.Heads / shape.KeyValueHeads;
            var mixed = nn.functional.scaled_dot_product_attention(q, k.repeat_interleave(repeats, 1), v.repeat_interleave(repeats, 1), is_casual: true);
            x = x + Linear(mixed.transpose(1, 2).reshape(batch, length, -1), prefix + "self_attn.o_proj.weight");
            h = Norm(x, prefix + "post_attention_layernorm.weight");
            x = x + Linear(nn.functional.silu(Linear(h, prefix + "mlp.gate_proj.weight")) * Linear(h, prefix + "mlp.up_proj.weight"), prefix + "mlp.down_proj.weight");
        }
        return Linear(Norm(x, "model.norm.weight"), "model.embed_tokens.weight");

        Tensor Heads(Tensor h, string name, int heads) => Linear(h, name).view(batch, length, heads, shape.HeadDim).transpose(1, 2);
    }

    private Parameter this[string name] => Parameters[name];

    private Tensor Linear(Tensor x, string name) => nn.functional.linear(x, this[name]);

    private Tensor Norm(Tensor x, string name) => x * rsqrt(x.pow(2).mean([-1], keepdim: true) + Shape.NormEpsilon) * this[name];

    private Tensor Rotate(Tensor x, long length)
    {
        var half = x.shape[^1] / 2;
        var turned = cat([-x.narrow(-1, half, half), x.narrow(-1, 0, half)], -1);
        return x * cosines.narrow(0, 0, length) + turned * sines.narrow(0, 0, length);
    }

    private void Add(string name, double deviation, params long[] size) => Parameters[name] = new Parameter(randn(size) * deviation);

    private void AddNorm(string name) => Parameters[name] = new Parameter(ones(shape.Hidden));
}

/// <summary>Byte-level byte-pair encoding with GPT-2's splitting.</summary>
sealed class ByteBpe
{
    private static readonly Regex Words = new(@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.Compiled);
    private readonly List<(int Left, int Right)> merges = [];
    private readonly List<string> pieces = [];
    private readonly Dictionary<string, int[]> cache = [];

    public int End { get; private set; }

    public IReadOnlyList<string> Pieces => pieces;

    public IEnumerable<string> Merges => merges.Select(merge => $"{pieces[merge.Left]} {pieces[merge.Right]}");

    public static ByteBpe Train(IEnumerable<string> texts, int vocabularySize)
    {
        var bpe = new ByteBpe();
        for (var value = 0; value < 256; value++)
            bpe.pieces.Add(Letter(value).ToString());
        var words = texts.SelectMany(text => Words.Matches(text).Select(match => match.Value)).CountBy(word => word)
            .Select(word => (Ids: Encoding.UTF8.GetBytes(word.Key).Select(value => (int)value).ToList(), Count: word.Value)).ToArray();
        while (bpe.pieces.Count < vocabularySize - 1)
        {
            var counts = new Dictionary<(int, int), long>();
            foreach (var (ids, count) in words)
            {
                for (var i = 0; i + 1 < ids.Count; i++)
                    CollectionsMarshal.GetValueRefOrAddDefault(counts, (ids[i], ids[i + 1]), out _) += count;
            }
            var best = counts.MaxBy(pair => (pair.Value, -pair.Key.Item1, -pair.Key.Item2)).Key;
            var merged = bpe.pieces.Count;
            bpe.merges.Add(best);
            bpe.pieces.Add(bpe.pieces[best.Item1] + bpe.pieces[best.Item2]);
            foreach (var (ids, _) in words)
                Merge(ids, best, merged);
        }
        bpe.End = bpe.pieces.Count;
        bpe.pieces.Add("<|end|>");
        return bpe;
    }

    public IEnumerable<int> Encode(string text) => Words.Matches(text).SelectMany(match => EncodeWord(match.Value));

    private int[] EncodeWord(string word)
    {
        if (!cache.TryGetValue(word, out var known))
        {
            var ids = Encoding.UTF8.GetBytes(word).Select(value => (int)value).ToList();
            for (var rank = 0; rank < merges.Count; rank++)
                Merge(ids, merges[rank], 256 + rank);
            cache[word] = known = [.. ids];
        }
        return known;
    }

    private static void Merge(List<int> ids, (int Left, int Right) pair, int merged)
    {
        for (var i = 0; i + 1 < ids.Count; i++)
        {
            if (ids[i] != pair.Left || ids[i + 1] != pair.Right)
                continue;
            ids[i] = merged;
            ids.RemoveAt(i + 1);
        }
    }

    /// <summary>GPT-2's visible letter for a byte.</summary>
    private static char Letter(int value)
    {
        static bool Visible(int each) => each is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
        return (char)(Visible(value) ? value : 256 + Enumerable.Range(0, value).Count(each => !Visible(each)));
    }
}

/// <summary>The files of a Hugging Face folder.</summary>
static class Folder
{
    public static void Write(string folder, Llama model, ByteBpe tokenizer)
    {
        Directory.CreateDirectory(folder);
        var shape = model.Shape;
        Json(folder, "config.json", json =>
        {
            json.WriteStartArray("architectures");
            json.WriteStringValue("LlamaForCausalLM");
            json.WriteEndArray();
            json.WriteString("model_type", "llama");
            json.WriteString("torch_dtype", "bfloat16");
            json.WriteString("hidden_act", "silu");
            json.WriteNumber("vocab_size", shape.Vocabulary);
            json.WriteNumber("hidden_size", shape.Hidden);
            json.WriteNumber("intermediate_size", shape.FeedForward);
            json.WriteNumber("num_hidden_layers", shape.Layers);
            json.WriteNumber("num_attention_heads", shape.Heads);
            json.WriteNumber("num_key_value_heads", shape.KeyValueHeads);
            json.WriteNumber("head_dim", shape.HeadDim);
            json.WriteNumber("max_position_embeddings", shape.Context);
            json.WriteNumber("rms_norm_eps", Shape.NormEpsilon);
            json.WriteNumber("rope_theta", Shape.RopeTheta);
            json.WriteBoolean("tie_word_embeddings", true);
            json.WriteNumber("bos_token_id", tokenizer.End);
            json.WriteNumber("eos_token_id", tokenizer.End);
        });
        Json(folder, "tokenizer_config.json", json =>
        {
            json.WriteString("tokenizer_class", "GPT2Tokenizer");
            json.WriteString("bos_token", "<|end|>");
            json.WriteString("eos_token", "<|end|>");
            json.WriteBoolean("add_bos_token", true);
            json.WriteBoolean("add_prefix_space", false);
            json.WriteNumber("model_max_length", shape.Context);
        });
        Json(folder, "tokenizer.json", json => Tokenizer(json, tokenizer));
        Safetensors(Path.Combine(folder, "model.safetensors"), model);
    }

    private static void Tokenizer(Utf8JsonWriter json, ByteBpe tokenizer)
    {
        json.WriteString("version", "1.0");
        json.WriteStartArray("added_tokens");
        json.WriteStartObject();
        json.WriteNumber("id", tokenizer.End);
        json.WriteString("content", "<|end|>");
        foreach (var flag in (string[])["single_word", "lstrip", "rstrip", "normalized"])
            json.WriteBoolean(flag, false);
        json.WriteBoolean("special", true);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteNull("normalizer");
        foreach (var part in (string[])["pre_tokenizer", "decoder"])
        {
            json.WriteStartObject(part);
            json.WriteString("type", "ByteLevel");
            json.WriteBoolean("add_prefix_space", false);
            json.WriteBoolean("trim_offsets", true);
            json.WriteBoolean("use_regex", true);
            json.WriteEndObject();
        }
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteStartObject("vocab");
        for (var id = 0; id < tokenizer.Pieces.Count; id++)
            json.WriteNumber(tokenizer.Pieces[id], id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var merge in tokenizer.Merges)
            json.WriteStringValue(merge);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Safetensors(string path, Llama model)
    {
        var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            var offset = 0L;
            foreach (var (name, parameter) in model.Parameters)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", "BF16");
                json.WriteStartArray("shape");
                foreach (var size in parameter.shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += parameter.numel() * 2);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        using var file = new BinaryWriter(File.Create(path));
        file.Write(header.Length);
        file.Write(header.ToArray());
        foreach (var (_, parameter) in model.Parameters)
        {
            using var rounded = parameter.detach().to_type(bfloat16).contiguous();
            file.Write(rounded.bytes);
        }
    }

    private static void Json(string folder, string name, Action<Utf8JsonWriter> write)
    {
        using var stream = File.Create(Path.Combine(folder, name));
        using var json = new Utf8JsonWriter(stream, new() { Indented = true });
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }
}

/// <summary>TorchSharp's native library asks for a newer libstdc++ than it uses.</summary>
static class LibTorch
{
    /// <summary>Lowers the one version requirement (GLIBCXX_3.4.32 to 3.4.30) that no relocation refers to, so that Debian 12 and Ubuntu 22.04 load the library.</summary>
    public static void MakeLoadable()
    {
        var path = Directory.EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories).First();
        var bytes = File.ReadAllBytes(path);
        var (from, to) = (Encoding.ASCII.GetBytes("GLIBCXX_3.4.32\0"), Encoding.ASCII.GetBytes("GLIBCXX_3.4.30\0"));
        var name = bytes.AsSpan().IndexOf(from);
        if (name < 0)
            return;
        to.CopyTo(bytes, name);
        var hash = bytes.AsSpan().IndexOf(BitConverter.GetBytes(ElfHash("GLIBCXX_3.4.32")));
        BitConverter.GetBytes(ElfHash("GLIBCXX_3.4.30")).CopyTo(bytes, hash);
        File.WriteAllBytes(path, bytes);
    }

    private static uint ElfHash(string name)
    {
        var hash = 0u;
        foreach (var letter in name)
        {
            hash = (hash << 4) + letter;
            var high = hash & 0xF000_0000;
            hash = (hash ^ (high >> 24)) & ~high;
        }
        return hash;
    }
}
