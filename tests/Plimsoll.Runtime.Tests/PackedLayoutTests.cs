using System.Runtime.InteropServices;
using System.Text;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime.Weights;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Runtime.Tests;

/// <summary>Each layout of Hugging Face, multiplied from packed weights: against the weights that its reader decodes, in double precision.</summary>
public sealed class PackedLayoutTests : IDisposable
{
    private const int Outputs = 64;
    private const int Inputs = 512;
    private const int Count = 5;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("gptq-4-g128", true)]
    [InlineData("gptq-3-g64", true)]
    [InlineData("gptq-8-channel", true)]
    [InlineData("awq-4-g64", true)]
    [InlineData("ct-w4a16-g128", true)]
    [InlineData("ct-w3a16-asym", true)]
    [InlineData("ct-w8a8", true)]
    [InlineData("llm-int8", true)]
    [InlineData("nf4", false)]
    [InlineData("nf4-dq", false)]
    [InlineData("fp8-block", false)]
    [InlineData("fp8-channel", false)]
    [InlineData("fp8-tensor", false)]
    [InlineData("nvfp4-ct", true)]
    [InlineData("nvfp4-modelopt", true)]
    [InlineData("mxfp4-ct", true)]
    public void A_layout_is_multiplied_from_packed_weights(string name, bool quantizesInputs)
    {
        var layout = QuantizedLayout.Of(name);
        using var reader = Open(layout);
        var weight = reader.Find("a.weight")!;
        using var matrix = MatrixLoader.Load(reader, weight);

        Assert.IsNotType<StoredMatrix>(matrix);
        var storedBytes = weight.Storage.Parts.Where(part => !part.Part.Contains("quant_map")).Sum(part => part.Header.Bytes);
        Assert.InRange(matrix.Bytes, 0.86 * storedBytes, 1.06 * storedBytes);
        CheckProduct(matrix, weight, quantizesInputs);
        CheckRows(matrix, weight);
    }

    [Theory]
    [InlineData("gptq-4-g128", 5)]
    [InlineData("awq-4-g64", 7)]
    public void Rows_may_come_in_another_order(string name, int step)
    {
        using var reader = Open(QuantizedLayout.Of(name));
        var weight = reader.Find("a.weight")!;
        int[] order = [.. Enumerable.Range(0, Outputs).Select(row => row * step % Outputs)];
        using var matrix = MatrixLoader.Load(reader, weight, order);

        var (found, expected) = (new float[Inputs], new float[Inputs]);
        matrix.ReadRow(3, found);
        weight.ReadRows(3 * step, expected);
        Assert.Equal(expected, found, (theirs, ours) => Math.Abs(theirs - ours) < 1e-5);
    }

    /// <summary>Act-order gives every input a group of its own choice: here 128 of each, dealt like cards.</summary>
    [Fact]
    public void Act_order_of_GPTQ_is_multiplied_from_packed_weights()
    {
        using var reader = Open(QuantizedLayout.Of("gptq-4-g128"), column => column % 4);
        var weight = reader.Find("a.weight")!;
        using var matrix = MatrixLoader.Load(reader, weight);

        Assert.IsType<ReorderedMatrix>(matrix);
        CheckProduct(matrix, weight, quantizesInputs: false, tolerance: 0.01);
        CheckRows(matrix, weight);
    }

    /// <summary>Groups that are not equally long have no kernel.</summary>
    [Fact]
    public void What_no_product_takes_is_decoded_from_its_file()
    {
        using var reader = Open(QuantizedLayout.Of("gptq-4-g128"), column => column < 100 ? 0 : 1);
        var weight = reader.Find("a.weight")!;
        using var matrix = MatrixLoader.Load(reader, weight);

        Assert.IsType<StoredMatrix>(matrix);
        CheckProduct(matrix, weight, quantizesInputs: false);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"llm_int8_threshold\":100.0", false)]
    public void LLM_int8_keeps_columns_of_outliers_as_its_configuration_says(string setting, bool isKept)
    {
        var layout = QuantizedLayout.Of("llm-int8");
        using var reader = Open(layout with { Config = layout.Config.Replace("}", setting + "}", StringComparison.Ordinal) });
        using var matrix = MatrixLoader.Load(reader, reader.Find("a.weight")!);
        var (inputs, outputs, row) = (new float[Inputs], new float[Outputs], new float[Inputs]);
        (inputs[3], inputs[4]) = (60, 0.1f);

        matrix.Multiply(inputs, 1, outputs, ComputePool.Single);

        // With a step of 60 / 127 the small input beside the large one would be rounded to 0.
        matrix.ReadRow(0, row);
        Assert.Equal(60 * row[3] + (isKept ? 0.1f * row[4] : 0), outputs[0], 1e-4 * Math.Abs(row[3]));
    }

    private static void CheckRows(PackedMatrix matrix, StoredWeight weight)
    {
        var (found, expected) = (new float[Inputs], new float[Inputs]);
        for (var row = 0; row < Outputs; row += 7)
        {
            matrix.ReadRow(row, found);
            weight.ReadRows(row, expected);
            var largest = expected.Max(Math.Abs);
            Assert.Equal(expected, found, (theirs, ours) => Math.Abs(theirs - ours) <= 1e-6 * largest);
        }
    }

    /// <param name="tolerance">A share of Σ |w · x|.</param>
    private static void CheckProduct(PackedMatrix matrix, StoredWeight weight, bool quantizesInputs, double tolerance = 1e-5)
    {
        var random = new Random(3);
        var inputs = Enumerable.Range(0, Count * Inputs).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var outputs = new float[Count * Outputs];
        matrix.Multiply(inputs, Count, outputs, ComputePool.Single);
        if (quantizesInputs)
            Quantize(inputs);
        var weights = new float[Outputs * Inputs];
        weight.ReadRows(0, weights);
        for (var at = 0; at < outputs.Length; at++)
        {
            var (sum, magnitude) = (0.0, 0.0);
            for (var k = 0; k < Inputs; k++)
            {
                var product = (double)weights[at % Outputs * Inputs + k] * inputs[at / Outputs * Inputs + k];
                (sum, magnitude) = (sum + product, magnitude + Math.Abs(product));
            }
            Assert.InRange(outputs[at] - sum, -tolerance * magnitude, tolerance * magnitude);
        }
    }

    /// <summary>Integer products see eight bits of the inputs: d = max |x| / 127 per 32.</summary>
    private static void Quantize(float[] inputs)
    {
        for (var start = 0; start < inputs.Length; start += 32)
        {
            var block = inputs.AsSpan(start, 32);
            var scale = block.ToArray().Max(MathF.Abs) / 127;
            foreach (ref var value in block)
                value = scale * MathF.Round(value * (1 / scale), MidpointRounding.ToEven);
        }
    }

    private WeightReader Open(QuantizedLayout layout, Func<int, int>? groupOf = null)
    {
        var groups = layout.Store("a", Outputs, Inputs).FirstOrDefault(tensor => tensor.Name == "a.scales")?.Shape[0] ?? 1;
        groupOf ??= column => column / (int)(Inputs / groups);
        var path = folder.Write("model.safetensors", FilledSafetensors.File(layout.Store("a", Outputs, Inputs), change: (tensor, bytes) => Mend(tensor, bytes, groupOf)));
        return new(Checkpoint.Open(path), QuantizationConfig.Find(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes($$"""{"quantization_config":{{layout.Config}}}"""))));
    }

    /// <summary>Random bytes make no shapes, groups, states, and codes that are no numbers.</summary>
    private static void Mend(StoredTensor tensor, Span<byte> bytes, Func<int, int> groupOf)
    {
        var part = tensor.Name[(tensor.Name.IndexOf('.') + 1)..];
        if (part == "g_idx")
        {
            var groups = MemoryMarshal.Cast<byte, int>(bytes);
            for (var column = 0; column < groups.Length; column++)
                groups[column] = groupOf(column);
        }
        else if (part == "weight_shape")
            MemoryMarshal.AsBytes<long>([Outputs, Inputs]).CopyTo(bytes);
        else if (part == "weight_format")
            bytes.Clear();
        else if (part.Contains("quant_state"))
        {
            bytes.Fill((byte)' ');
            var nested = bytes.Length > 100 ? ",\"nested_blocksize\":256,\"nested_offset\":0.5" : "";
            Encoding.UTF8.GetBytes($$"""{"quant_type":"nf4","blocksize":64,"shape":[{{Outputs}},{{Inputs}}]{{nested}}}""").CopyTo(bytes);
        }
        else if (tensor.Type is "F8_E4M3" || part == "weight_scale" && tensor.Type == "U8")
        {
            foreach (ref var value in bytes)
                value = tensor.Type == "U8" ? (byte)(124 + value % 8) : part == "weight" ? (byte)(value & 0xF7) : (byte)(value & 0x77);
        }
    }
}
