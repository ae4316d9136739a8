using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Two GGUF files, tensor by tensor.</summary>
internal static class GgufComparison
{
    /// <summary>Both have the same tensors with the same types, shapes and bytes, in whatever order.</summary>
    public static void AssertSameTensors(string expected, string actual)
    {
        var (left, right) = (Checkpoint.Open(expected), Checkpoint.Open(actual));
        Assert.Equal(Describe(left), Describe(right));
        using var reader = new TensorReader();
        foreach (var tensor in left.Tensors)
        {
            var other = right.Tensors.Single(each => each.Name == tensor.Name);
            var (wanted, found) = (new byte[tensor.Bytes], new byte[tensor.Bytes]);
            reader.Read(tensor, 0, wanted);
            reader.Read(other, 0, found);
            Assert.True(wanted.AsSpan().SequenceEqual(found), $"the bytes of {tensor.Name} ({tensor.Format}) differ from byte {wanted.AsSpan().CommonPrefixLength(found)} on");
        }
    }

    private static IEnumerable<string> Describe(Checkpoint checkpoint) =>
        checkpoint.Tensors.Select(tensor => $"{tensor.Name} {tensor.Format} [{string.Join(", ", tensor.Dimensions)}]").Order(StringComparer.Ordinal);
}
