using System.Security.Cryptography;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>Hashes of ggml's bytes for fixed weights: the comparison with ggml where ggml cannot be had.</summary>
/// <remarks>SHA-256 over all kinds of <see cref="WeightSamples"/>, 15 super-blocks each, first without and then with importances. Written by llama.cpp v0.5.0.</remarks>
public class GgmlGoldenTests
{
    private const int RowLength = 256 * 3;
    private const int Rows = 5;

    [Fact]
    public void Bytes_are_those_that_ggml_gave() =>
        Golden.Match("ggml-blocks.txt", Table((codec, values, importance, blocks) => codec.Encode(values, RowLength, blocks, importance)));

    [Fact]
    public void The_hashes_are_those_of_ggml()
    {
        var ggml = Ggml.Require();
        Golden.Match("ggml-blocks.txt", Table((codec, values, importance, blocks) => ggml.Quantize(codec.Format.GgmlType!.Value, values, RowLength, importance, blocks)));
    }

    private static string Table(Action<BlockCodec, float[], float[], byte[]> encode) =>
        string.Concat(GgmlCodecs.Of<Lanes8>().Select(codec =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var importance in WeightSamples.ImportancesOf(codec, RowLength))
            {
                foreach (var kind in WeightSamples.KindsOf(codec.Format))
                {
                    var values = WeightSamples.Create(kind, Rows * RowLength);
                    var blocks = new byte[codec.Format.BytesFor(values.Length)];
                    encode(codec, values, importance, blocks);
                    hash.AppendData(blocks);
                }
            }
            return $"{codec.Format.Name,-10} {Convert.ToHexStringLower(hash.GetHashAndReset())}\n";
        }));
}
