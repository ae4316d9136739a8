using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>llama.cpp loads and evaluates what we write, for every architecture.</summary>
public sealed class GgufLoadingTests
{
    public static TheoryData<string> Architectures => [.. TinyConfigs.ByModelType.Keys];

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Llama_cpp_loads_and_evaluates_every_architecture(string modelType)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        using var folder = new TemporaryFolder();
        var plan = GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), new() { FileName = "tiny.gguf", FileType = GgufFileType.Find("q8_0")! });

        using var llama = Llama.Load(PlanFiles.Write(plan, folder.Path).Single());
        var tokens = llama.Tokenize("the cat and the hat in a tin");
        var logits = llama.Logits(tokens);

        Assert.Equal(320, llama.VocabularySize);
        Assert.All(logits, row => Assert.All(row, value => Assert.True(float.IsFinite(value))));
        Assert.NotEqual(logits[0], logits[^1]);
    }

    /// <summary>A wrong order of rows, a norm without its 1, a matrix not turned round: each would be seen in the logits.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void Llama_cpp_computes_from_our_file_what_transformers_computes_from_the_checkpoint(string modelType)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        ReferenceModel.AssertComputes(checkpoint, ReferenceStyles.ByModelType[modelType]);
    }
}
