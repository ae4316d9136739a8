using Plimsoll.Models.Inspection;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Models.Tests.Inspection;

public class GgufInspectionTests
{
    /// <summary>2 x 16 x 32 + 4 x (2 x 32 x 32 + 2 x 16 x 32 + 3 x 64 x 32 + 2 x 32) + 32.</summary>
    private const long Parameters = 38_176;

    [Fact]
    public void A_sound_file_has_no_problems()
    {
        var inspection = Inspect(new TinyGguf().Usual());
        Assert.Empty(inspection.Problems);
        Assert.Equal((CheckpointKind.Model, "llama", Parameters, 512L, 32.0), (inspection.Kind, inspection.Architecture, inspection.Parameters, inspection.ContextLength, inspection.BitsPerWeight));
        Assert.Equal("4 layers, hidden 32, 4 heads with 2 KV heads of 8, feed-forward 64", ModelShapeText.Describe(inspection.Shape!));
        Assert.Equal(["bos <1> 1", "eos <2> 2"], inspection.Tokenizer!.SpecialTokens.Select(token => $"{token.Role} {token.Text} {token.Id}"));
        Assert.Equal(["embeddings", "output head", "norms", "attention", "feed-forward"], inspection.Parts.Select(part => part.Name));
        Assert.Equal([512L, 512, 9 * 32, 4 * 3072, 4 * 6144], inspection.Parts.Select(part => part.Parameters!.Value));
    }

    [Fact]
    public void Keys_that_llama_cpp_requires_are_asked_for() => Assert.Contains(
        "Error gguf: 2 keys are missing that llama.cpp requires: llama.context_length, llama.block_count.", Problems(new TinyGguf()));

    [Fact]
    public void A_file_without_an_architecture_is_nothing_to_anybody() => Assert.Equal(
        ["Error gguf: the key general.architecture is missing; nothing can load the file without it."],
        Problems(new GgufBuilder().Text("general.name", "x").Tensor("a", 0, 0, 4).File(16)));

    [Fact]
    public void A_block_without_tensors_is_found() => Assert.Contains(
        "Error gguf: 1 of 4 blocks have no tensors: blk.2.", Problems(new TinyGguf().Usual().Without("blk.2")));

    [Fact]
    public void A_block_too_many_is_found() => Assert.Contains(
        "Warning gguf: llama.block_count is 3, but there are tensors of blk.3.", Problems(new TinyGguf().Usual(blocks: 3)));

    [Fact]
    public void A_tensor_that_one_block_lacks_is_found() => Assert.Contains(
        "Error gguf: 1 tensor is missing that every other block has: blk.2.ffn_up.weight.", Problems(new TinyGguf().Usual().Without("blk.2.ffn_up.weight")));

    [Fact]
    public void A_missing_embedding_is_found() => Assert.Contains("Error gguf: the tensor token_embd.weight is missing.", Problems(new TinyGguf().Usual().Without("token_embd.weight")));

    [Theory]
    [InlineData(17, "Error vocabulary: the tokenizer (GGUF metadata) has ids up to 16, but token_embd.weight has 16 rows.")]
    [InlineData(15, "Error vocabulary: the file lists 15 tokens, but token_embd.weight has 16 rows; llama.cpp requires as many.")]
    public void The_vocabulary_must_have_as_many_tokens_as_the_embedding_rows(int tokens, string problem) => Assert.Equal([problem], Problems(new TinyGguf(tokens: tokens).Usual()));

    [Fact]
    public void Bytes_behind_the_last_tensor_are_found()
    {
        Assert.Equal(["Warning files: tiny.gguf has 96 bytes behind its last tensor that belong to none."], Problems(new TinyGguf().Usual().File(96)));
        // The last tensor may be padded to the alignment, or not.
        Assert.Empty(Problems(new TinyGguf().Usual().File()));
    }

    [Theory]
    [InlineData("imatrix", CheckpointKind.ImportanceMatrix)]
    [InlineData("mmproj", CheckpointKind.Projector)]
    [InlineData("adapter", CheckpointKind.Adapter)]
    public void Files_that_are_no_model_are_called_what_they_are(string type, CheckpointKind kind)
    {
        var inspection = Inspect(new GgufBuilder().Text("general.type", type).Text("general.architecture", "llama").Tensor("blk.0.attn_q.weight", 0, 0, 8).File(32));
        Assert.Equal(kind, inspection.Kind);
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void A_file_of_tokens_only_is_a_vocabulary()
    {
        var inspection = Inspect(new GgufBuilder().Text("general.architecture", "llama").Text("tokenizer.ggml.model", "llama").Strings("tokenizer.ggml.tokens", "a", "b").File(0));
        Assert.Equal((CheckpointKind.Vocabulary, (long?)null, 2L), (inspection.Kind, inspection.Parameters, inspection.Tokenizer!.VocabularySize));
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void The_importance_matrix_of_a_quantized_file_is_named()
    {
        var inspection = Inspect(new GgufBuilder().Text("general.architecture", "llama").UInt32("general.file_type", 15)
            .Text("quantize.imatrix.file", "/home/someone/x.imatrix").Text("quantize.imatrix.dataset", "calibration_datav3.txt")
            .Tensor("blk.0.attn_q.weight", 12, 0, 256).Tensor("blk.0.ffn_down.weight", 14, 160, 256).File(160 + 224));
        Assert.Equal("Q4_K_M (Q6_K, Q4_K); importance matrix x.imatrix from calibration_datav3.txt", inspection.QuantizationText);
        Assert.Equal("q4_k_m", inspection.Precision);
    }

    [Fact]
    public void Whatever_byte_of_the_header_changes_the_inspection_ends_in_an_answer_or_a_format_exception()
    {
        using var folder = new TemporaryFolder();
        var tiny = new TinyGguf(blocks: 1).Usual(1);
        var valid = tiny.File();
        var header = tiny.Builder.Header().Length;
        var (answers, refusals) = (0, 0);
        for (var at = 0; at < header; at += 3)
        {
            var mutant = (byte[])valid.Clone();
            mutant[at] ^= (byte)(1 << at % 8);
            try
            {
                answers += CheckpointInspector.Inspect(folder.Write("tiny.gguf", mutant)).Path.Length > 0 ? 1 : 0;
            }
            catch (Checkpoints.CheckpointFormatException)
            {
                refusals++;
            }
        }
        Assert.True(answers > 100 && refusals > 100, $"{answers} answers, {refusals} refusals of {header} bytes");
    }

    private static IEnumerable<string> Problems(TinyGguf file) => Problems(file.File());

    private static IEnumerable<string> Problems(byte[] file) => Inspect(file).Problems.Select(problem => $"{problem.Severity} {problem.Check}: {problem.Message}");

    private static CheckpointInspection Inspect(TinyGguf file) => Inspect(file.File());

    private static CheckpointInspection Inspect(byte[] file)
    {
        using var folder = new TemporaryFolder();
        return CheckpointInspector.Inspect(folder.Write("tiny.gguf", file));
    }
}
