using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

public class StoredWeightsTests
{
    private static readonly ModelShape Model = TestShapes.Dense("llama", hidden: 512, layers: 2, heads: 8, keyValueHeads: 2, width: 1024, vocabulary: 1000, context: 2048);

    /// <summary>Side tensors of one layer (out, in), as the writers of each method lay them out.</summary>
    private static IEnumerable<TensorHeader> Side(string method, string path, long outputs, long inputs) => method switch
    {
        "gptq:4bit-g128" => [
            Header(path + ".qweight", "INT32", inputs / 8, outputs), Header(path + ".qzeros", "INT32", inputs / 128, outputs / 8),
            Header(path + ".scales", "FP16", inputs / 128, outputs), Header(path + ".g_idx", "INT32", inputs)],
        "gptq:8bit-g-1" => [
            Header(path + ".qweight", "INT32", inputs / 4, outputs), Header(path + ".qzeros", "INT32", 1, outputs / 4),
            Header(path + ".scales", "FP16", 1, outputs), Header(path + ".g_idx", "INT32", inputs)],
        "awq:4bit-g64" => [
            Header(path + ".qweight", "INT32", inputs, outputs / 8), Header(path + ".qzeros", "INT32", inputs / 64, outputs / 8), Header(path + ".scales", "FP16", inputs / 64, outputs)],
        "nf4" => [
            Header(path + ".weight", "UINT8", outputs * inputs / 2, 1), Header(path + ".weight.absmax", "FP32", outputs * inputs / 64),
            Header(path + ".weight.quant_map", "FP32", 16)],
        "nf4-dq" => [
            Header(path + ".weight", "UINT8", outputs * inputs / 2, 1), Header(path + ".weight.absmax", "UINT8", outputs * inputs / 64), Header(path + ".weight.quant_map", "FP32", 16),
            Header(path + ".weight.nested_absmax", "FP32", (outputs * inputs / 64 + 255) / 256), Header(path + ".weight.nested_quant_map", "FP32", 256)],
        "bnb-int8" => [Header(path + ".weight", "INT8", outputs, inputs), Header(path + ".SCB", "FP32", outputs)],
        "fp8:block128" => [Header(path + ".weight", "FP8_E4M3", outputs, inputs), Header(path + ".weight_scale_inv", "FP32", (outputs + 127) / 128, (inputs + 127) / 128)],
        "fp8:channel" => [Header(path + ".weight", "FP8_E4M3", outputs, inputs), Header(path + ".weight_scale", "FP32", outputs, 1)],
        "fp8:tensor" => [Header(path + ".weight", "FP8_E4M3", outputs, inputs), Header(path + ".weight_scale", "FP32")],
        "ct:w4a16-g128" => [Header(path + ".weight_packed", "INT32", outputs, inputs / 8), Header(path + ".weight_scale", "BF16", outputs, inputs / 128), Header(path + ".weight_shape", "INT64", 2)],
        "ct:w8a8" => [Header(path + ".weight", "INT8", outputs, inputs), Header(path + ".weight_scale", "FP32", outputs, 1)],
        "nvfp4" => [
            Header(path + ".weight_packed", "UINT8", outputs, inputs / 2), Header(path + ".weight_scale", "FP8_E4M3", outputs, inputs / 16),
            Header(path + ".weight_global_scale", "FP32", 1), Header(path + ".input_global_scale", "FP32", 1)],
        "ct:mxfp4" => [Header(path + ".weight_packed", "UINT8", outputs, inputs / 2), Header(path + ".weight_scale", "UINT8", outputs, inputs / 32)],
        _ => throw new ArgumentException(method),
    };

    [Theory]
    [InlineData("gptq:4bit-g128", 0)]
    [InlineData("gptq:8bit-g-1", 0)]
    [InlineData("awq:4bit-g64", 0)]
    [InlineData("nf4", 0)]
    // The offset of the double-quantized scales (4 bytes per layer) is stored in a JSON text and is a tensor in memory only.
    [InlineData("nf4-dq", -4)]
    [InlineData("bnb-int8", 0)]
    [InlineData("fp8:block128", 0)]
    [InlineData("fp8:channel", 0)]
    [InlineData("fp8:tensor", 0)]
    [InlineData("ct:w4a16-g128", 0)]
    [InlineData("ct:w8a8", 0)]
    [InlineData("nvfp4", 0)]
    [InlineData("ct:mxfp4", 0)]
    public void A_quantized_checkpoint_is_recognized_and_costs_what_was_planned(string method, int differenceByLayer)
    {
        var headers = Model.Tensors.SelectMany(tensor => tensor is { IsLinear: true, Layer: not null }
            ? Side(method, tensor.Name[..^".weight".Length], tensor.Dimensions[0], tensor.Dimensions[1])
            : [Header(tensor.Name, "BF16", [.. tensor.Dimensions])]).ToList();
        var stored = WeightSet.FromCheckpoint(Model, headers);
        var planned = PrecisionScheme.Find(method)!.Apply(Model);

        Assert.Equal(method, stored.Precision);
        Assert.Empty(stored.Notes);
        Assert.Equal(headers.Sum(header => header.Bytes), stored.Total.Bytes);
        Assert.Equal(planned.Total.Bytes + differenceByLayer * 14, stored.Total.Bytes);
        Assert.Equal(planned.Tensors.Select(tensor => (tensor.Shape, tensor.Format)), stored.Tensors.Select(tensor => (tensor.Shape, tensor.Format)));
    }

    [Theory]
    [InlineData("gguf:q8_0", 7)]
    [InlineData("gguf:q4_k_m", 15)]
    [InlineData("gguf:iq2_xs", 20)]
    public void A_gguf_file_is_grouped_by_the_parameters_of_the_model(string type, int fileType)
    {
        var planned = PrecisionScheme.Find(type)!.Apply(Mixtral);
        var headers = planned.Tensors.Select(tensor => new TensorHeader(tensor.StoredName!, tensor.Format, tensor.Shape.Dimensions, "model.gguf", 0, tensor.Bytes)).ToList();
        var stored = WeightSet.FromCheckpoint(Mixtral, headers, fileType);
        Assert.Equal((type, planned.Total.Bytes, planned.Active.Bytes), (stored.Precision, stored.Total.Bytes, stored.Active.Bytes));
        Assert.Equal(Mixtral.Parameters, stored.Parameters);
        Assert.Empty(stored.Notes);
    }

    [Fact]
    public void Experts_stored_one_by_one_are_one_parameter_of_the_layer()
    {
        var headers = Mixtral.Tensors.SelectMany(tensor => Enumerable.Range(0, tensor.Count).Select(expert => Header("model." + tensor.Name.Replace("*", $"{expert}"), "BF16", [.. tensor.Dimensions])));
        var stored = WeightSet.FromCheckpoint(Mixtral, [.. headers]);
        Assert.Equal(("bf16", 2 * Mixtral.Parameters, Mixtral.Tensors.Length), (stored.Precision, stored.Total.Bytes, stored.Tensors.Length));
        Assert.Equal(2 * Mixtral.ActiveParameters, stored.Active.Bytes);
    }

    [Fact]
    public void What_is_stored_beside_the_architecture_is_counted_and_named()
    {
        var tied = TestShapes.Dense("llama", 512, 2, 8, 2, 1024, 1000, 2048, tied: true);
        var headers = tied.Tensors.Select(tensor => Header(tensor.Name, "FP16", [.. tensor.Dimensions]))
            .Append(Header("lm_head.weight", "FP16", 1000, 512))
            .Append(Header("vision_tower.blocks.0.attn.qkv.weight", "FP16", 96, 32));
        var stored = WeightSet.FromCheckpoint(tied, [.. headers]);
        Assert.Equal(2 * (tied.Parameters + 1000 * 512 + 96 * 32), stored.Total.Bytes);
        Assert.Equal(2 * 96 * 32, stored.Of(TensorRole.Tower).Bytes);
        Assert.Equal(
            [
                $"The output head is tied to the embedding but stored a second time ({new ByteSize(1024000)}).",
                $"1 stored tensors ({new ByteSize(6144)}) are not part of the architecture as it is known here, the first of them vision_tower.blocks.0.attn.qkv.weight; their bytes are counted.",
            ],
            stored.Notes);
    }

    [Fact]
    public void What_is_missing_is_said()
    {
        var headers = Model.Tensors.Skip(1).Select(tensor => Header(tensor.Name, "FP32", [.. tensor.Dimensions]));
        var stored = WeightSet.FromCheckpoint(Model, [.. headers]);
        Assert.Equal("1 tensors of the architecture are not in the checkpoint, the first of them model.embed_tokens.weight; they are not counted.", Assert.Single(stored.Notes));
        Assert.Equal("fp32", stored.Precision);
    }

    private static readonly ModelShape Mixtral = TestShapes.Experts("mixtral", hidden: 512, layers: 2, heads: 8, keyValueHeads: 2, experts: 8, width: 768, vocabulary: 1000);

    private static TensorHeader Header(string name, string format, params long[] dimensions)
    {
        var type = NumberFormats.Find(format)!;
        return new(name, type, [.. dimensions], "model.safetensors", 0, type.BytesFor(dimensions.Aggregate(1L, (product, size) => product * size)));
    }
}
