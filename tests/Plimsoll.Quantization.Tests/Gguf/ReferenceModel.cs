using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Testing.Peers;
using static Plimsoll.Quantization.Tests.Gguf.ReferenceMath;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>What a decoder of the transformers library computes from a checkpoint: a forward pass of its own, which knows nothing of GGUF.</summary>
/// <remarks>Names and formulas: transformers, models/*/modeling_*.py.</remarks>
internal sealed class ReferenceModel(IReadOnlyDictionary<string, RandomTensor> tensors, ReferenceStyle style)
{
    private readonly int headDim = style.HeadDim;

    /// <summary>llama.cpp computes from the GGUF file of a checkpoint, in FP32, what this model computes from the checkpoint itself.</summary>
    public static void AssertComputes(RandomCheckpoint checkpoint, ReferenceStyle style)
    {
        int[] tokens = [5, 270, 99, 4, 271, 8, 200];
        using var folder = new TemporaryFolder();
        var plan = GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), new() { FileName = "tiny.gguf", FileType = GgufFileType.Find("f32")! });
        using var llama = Llama.Load(PlanFiles.Write(plan, folder.Path).Single());
        Assert.Equal(320, llama.VocabularySize);
        Assert.NotEmpty(llama.Tokenize("the cat and the hat in a tin"));
        var actual = llama.Logits(tokens);
        var expected = new ReferenceModel(checkpoint.Tensors, style).Logits(tokens);

        // llama.cpp looks GELU up in a table of FP16 values; the other functions are good to 1e-5.
        var scale = expected.Max(row => row.Max(Math.Abs));
        for (var position = 0; position < tokens.Length; position++)
        {
            for (var token = 0; token < expected[position].Length; token++)
                Assert.True(Math.Abs(actual[position][token] - expected[position][token]) < 3e-3 * scale, $"position {position}, token {token}: {actual[position][token]} and {expected[position][token]} of {scale}");
        }
    }

    /// <summary>The logits after each token: (tokens, vocabulary).</summary>
    public double[][] Logits(int[] tokens)
    {
        var states = tokens.Select((token, position) => Embed(token, position)).ToArray();
        for (var layer = 0; layer < 2; layer++)
            Layer(states, layer, style.Trunk + style.Layers + layer + ".");
        return [.. states.Select(state => Head(Norm(state, style.Trunk + style.FinalNorm)))];
    }

    private double[] Embed(int token, int position)
    {
        var embedding = Row(style.Trunk + style.Embedding + ".weight", token).Select(value => value * style.EmbeddingScale).ToArray();
        return style.Positions is { } positions ? Add(embedding, [.. Row(positions, position)]) : embedding;
    }

    private double[] Head(double[] state)
    {
        var logits = Multiply(Values((style.Head ?? style.Trunk + style.Embedding) + ".weight"), state).Select(value => value / style.LogitDivisor);
        return [.. style.LogitCap > 0 ? logits.Select(value => style.LogitCap * Math.Tanh(value / style.LogitCap)) : logits];
    }

    private void Layer(double[][] states, int layer, string prefix)
    {
        var inputs = states.Select(state => style.NormBefore is { } norm ? Norm(state, prefix + norm) : state).ToArray();
        var attended = style.Latent ? LatentAttention(inputs, prefix) : Attention(inputs, prefix);
        for (var position = 0; position < states.Length; position++)
        {
            var attention = style.NormBehindAttention is { } behind ? Norm(attended[position], prefix + behind) : attended[position];
            if (style.Parallel)
            {
                var second = style.NormBeforeFeedForward is { } own ? Norm(states[position], prefix + own) : inputs[position];
                states[position] = Add(Add(states[position], attention), FeedForward(second, prefix, layer));
                continue;
            }
            states[position] = Add(states[position], attention, style.ResidualScale);
            var before = style.NormBeforeFeedForward is { } next ? Norm(states[position], prefix + next) : states[position];
            var result = FeedForward(before, prefix, layer);
            states[position] = Add(states[position], style.NormBehindFeedForward is { } last ? Norm(result, prefix + last) : result, style.ResidualScale);
        }
    }

    private double[][] Attention(double[][] inputs, string prefix)
    {
        var folder = prefix + style.AttentionFolder;
        var (queries, keys, values) = (new List<double[][]>(), new List<double[][]>(), new List<double[][]>());
        for (var position = 0; position < inputs.Length; position++)
        {
            var (query, key, value) = style.Fused is { } fused ? style.SplitFused(Linear(folder + fused, inputs[position]))
                : (Linear(folder + "q_proj", inputs[position]), Linear(folder + "k_proj", inputs[position]), Linear(folder + "v_proj", inputs[position]));
            if (style.WholeQueryKeyNorm)
                (query, key) = (Norm(query, folder + "q_norm"), Norm(key, folder + "k_norm"));
            queries.Add([.. Heads(query).Select((head, index) => Rotated(HeadNorm(head, folder, 'q', index), position))]);
            keys.Add([.. Heads(key).Select((head, index) => Rotated(HeadNorm(head, folder, 'k', index), position))]);
            values.Add([.. Heads(value)]);
        }
        var groups = queries[0].Length / keys[0].Length;
        return
        [
            .. queries.Select((heads, position) => Linear(folder + style.Output,
            [
                .. heads.SelectMany((head, index) => Attend(head, [.. keys.Take(position + 1).Select(key => key[index / groups])], [.. values.Take(position + 1).Select(value => value[index / groups])],
                    style.AttentionScale ?? style.RotationScale * style.RotationScale / Math.Sqrt(headDim), style.ScoreCap, style.Sinks ? tensors[folder + "sinks"].Values[index] : null)),
            ])),
        ];
    }

    /// <summary>DeepSeek's attention, decompressed: head dimensions 32 without and 16 with rotation, values of 32, rank 64.</summary>
    private double[][] LatentAttention(double[][] inputs, string prefix)
    {
        var folder = prefix + "self_attn.";
        var (queries, keys, values) = (new List<double[][]>(), new List<double[][]>(), new List<double[][]>());
        for (var position = 0; position < inputs.Length; position++)
        {
            var query = Linear(folder + "q_b_proj", Norm(Linear(folder + "q_a_proj", inputs[position]), folder + "q_a_layernorm"));
            var compressed = Linear(folder + "kv_a_proj_with_mqa", inputs[position]);
            var shared = Rotate(compressed[64..], position, style.Theta, 16, neighbours: true);
            var pairs = Linear(folder + "kv_b_proj", Norm(compressed[..64], folder + "kv_a_layernorm")).Chunk(64).ToArray();
            queries.Add([.. query.Chunk(48).Select(head => (double[])[.. head[..32], .. Rotate(head[32..], position, style.Theta, 16, neighbours: true)])]);
            keys.Add([.. pairs.Select(pair => (double[])[.. pair[..32], .. shared])]);
            values.Add([.. pairs.Select(pair => pair[32..])]);
        }
        return
        [
            .. queries.Select((heads, position) => Linear(folder + "o_proj",
                [.. heads.SelectMany((head, index) => Attend(head, [.. keys.Take(position + 1).Select(key => key[index])], [.. values.Take(position + 1).Select(value => value[index])], 1 / Math.Sqrt(48)))])),
        ];
    }

    private double[] FeedForward(double[] x, string prefix, int layer)
    {
        if (style.Experts is { } experts && layer >= style.FirstExpertLayer)
            return experts(this, x, prefix);
        var folder = prefix + style.FeedForwardFolder;
        if (style.Gate is null && style.FusedGateUp is null)
            return Linear(folder + style.Down, [.. Linear(folder + style.Up, x).Select(style.Activation)]);
        var (gate, up) = style.FusedGateUp is { } fused && Linear(folder + fused, x) is var both ? (both[..(both.Length / 2)], both[(both.Length / 2)..]) : (Linear(folder + style.Gate, x), Linear(folder + style.Up, x));
        return Gated(gate, up, folder + style.Down);
    }

    public double[] Gated(double[] gate, double[] up, string down) => Linear(down, [.. gate.Zip(up, (g, u) => style.Activation(g) * u)]);

    public double[] Linear(string name, double[] x)
    {
        var weight = tensors[name + ".weight"];
        var result = Multiply(style.Transposed && !name.Contains("lm_head", StringComparison.Ordinal) ? Transpose(weight) : weight.Values, x);
        return tensors.TryGetValue(name + ".bias", out var bias) ? Add(result, [.. bias.Values.Select(value => (double)value)]) : result;
    }

    public float[] Values(string name) => tensors[name].Values;

    private double[] Norm(double[] x, string name) => style.LayerNorm
        ? LayerNorm(x, Values(name + ".weight"), tensors.TryGetValue(name + ".bias", out var bias) ? bias.Values : [], style.Epsilon)
        : RmsNorm(x, Values(name + ".weight"), style.Epsilon, style.NormAddend);

    private double[] HeadNorm(double[] head, string folder, char part, int index) => style.HeadNorm switch
    {
        "shared" => RmsNorm(head, Values($"{folder}{part}_norm.weight"), style.Epsilon, style.NormAddend),
        "own" => LayerNorm(head, Values($"{folder}{part}_layernorm.norms.{index}.weight"), [], style.Epsilon),
        _ => head,
    };

    private double[] Rotated(double[] head, int position) => style.Theta == 0 ? head : Rotate(head, position, style.Theta, style.Rotated ?? headDim, style.RotatesNeighbours, style.FrequencyDivisor);

    private IEnumerable<double[]> Heads(double[] projection) => projection.Chunk(headDim);

    private IEnumerable<double> Row(string name, int row)
    {
        var width = (int)tensors[name].Dimensions[1];
        return Values(name).AsSpan(row * width, width).ToArray().Select(value => (double)value);
    }

    private static float[] Transpose(RandomTensor weight)
    {
        var (rows, columns) = ((int)weight.Dimensions[0], (int)weight.Dimensions[1]);
        return [.. Enumerable.Range(0, rows * columns).Select(index => weight.Values[index % rows * columns + index / rows])];
    }
}
