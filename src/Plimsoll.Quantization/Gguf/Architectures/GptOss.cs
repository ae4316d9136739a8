using System.Collections.Immutable;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>gpt-oss: gate and up lie row by row in turn and are separated; matrices of experts are (in, out) unless packed as MXFP4.</summary>
internal sealed class GptOss : GgufArchitecture
{
    public override string Name => "gpt-oss";

    public override ImmutableArray<string> ModelTypes => ["gpt_oss"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        base.WriteKeys(model, keys);
        keys.Integer("attention.sliding_window", model.RequireInteger("sliding_window"));
        keys.Integer("expert_feed_forward_length", model.RequireInteger("intermediate_size"));
    }

    public override TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model) => tensor.Name.Split('.') switch
    {
        [.., "ffn_gate_exps", "bias"] => EverySecond(source, 0),
        [.., "ffn_up_exps", "bias"] => EverySecond(source, 1),
        [.., "ffn_gate_exps", _] => EverySecondRow(Matrices(source), 0),
        [.., "ffn_up_exps", _] => EverySecondRow(Matrices(source), 1),
        [.., "ffn_down_exps", "weight"] => Matrices(source),
        _ => source,
    };

    private static TensorRows Matrices(TensorRows source) => source is StoredRows { Weight.Storage.IsQuantized: true } ? source : source.Transpose();

    private static TensorRows EverySecondRow(TensorRows source, int first) =>
        source.Select([source.Dimensions[0], source.Dimensions[1] / 2, source.Dimensions[2]], row => 2 * row + first);

    /// <summary>Of (experts, 2 × width) every second element, as (experts, width).</summary>
    private static TensorRows EverySecond(TensorRows source, int first)
    {
        var (experts, width) = (source.Dimensions[0], source.Dimensions[1] / 2);
        return source.Reshape(experts * width * 2, 1).Select([experts * width, 1], row => 2 * row + first).Reshape(experts, width);
    }
}
