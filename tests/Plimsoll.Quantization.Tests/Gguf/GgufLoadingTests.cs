namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>llama.cpp loads and evaluates what we write, for every architecture.</summary>
public sealed class GgufLoadingTests
{
    public static TheoryData<string> Architectures => [.. TinyConfigs.ByModelType.Keys];

    /// <summary>A wrong order of rows, a norm without its 1, a matrix not turned round: each would be seen in the logits.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void Llama_cpp_computes_from_our_file_what_transformers_computes_from_the_checkpoint(string modelType)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        ReferenceModel.AssertComputes(checkpoint, ReferenceStyles.ByModelType[modelType]);
    }
}
