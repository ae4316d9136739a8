using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.Output;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Gguf;

public sealed class GgufRecipeTests
{
    [Fact]
    public void The_user_decides_the_types_of_single_tensors()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        var plan = Plan(checkpoint, recipe => recipe with
        {
            Overrides = [GgufTypeOverride.Parse(@"blk\.1\.ffn_down=q8_0"), GgufTypeOverride.Parse("ffn_down=bf16")],
            OutputType = GgufTypeOverride.ParseType("q5_k"),
            EmbeddingType = GgufTypeOverride.ParseType("f16"),
        });
        Assert.Equal("Q8_0", Type(plan, "blk.1.ffn_down.weight"));
        Assert.Equal("BF16", Type(plan, "blk.0.ffn_down.weight"));
        Assert.Equal("Q5_K", Type(plan, "output.weight"));
        Assert.Equal("FP16", Type(plan, "token_embd.weight"));
        Assert.Equal("Q4_K", Type(plan, "blk.0.attn_q.weight"));
        Assert.Equal("FP32", Type(plan, "blk.0.attn_q.bias"));
        Assert.Equal(@"q4_k_m --output-tensor-type q5_k --token-embedding-type fp16 --tensor-type blk\.1\.ffn_down=q8_0 --tensor-type ffn_down=bf16", Metadata(plan).String("plimsoll.recipe"));
    }

    [Fact]
    public void Parts_of_a_split_file_hold_at_most_what_was_asked_for_and_llama_cpp_reads_them_as_one()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        using var folder = new TemporaryFolder();
        var whole = PlanFiles.Write(Plan(checkpoint, recipe => recipe with { FileType = GgufFileType.Find("q8_0")! }), folder.Path).Single();
        var plan = Plan(checkpoint, recipe => recipe with { FileType = GgufFileType.Find("q8_0")!, SplitBytes = 400_000 });
        var parts = PlanFiles.Write(plan, folder.Path);

        Assert.Equal(Enumerable.Range(1, parts.Count).Select(number => $"tiny-{number:D5}-of-{parts.Count:D5}.gguf"), parts.Select(Path.GetFileName));
        Assert.All(plan.Files, file => Assert.True(file.Jobs.Sum(job => job.Outputs[0].Bytes) <= 400_000));
        var opened = Checkpoint.Open(parts[0]);
        Assert.Empty(opened.Problems);
        GgufComparison.AssertSameTensors(whole, parts[0]);
        var again = GgufConversion.Plan(ModelLocator.FromPath(parts[0]), new() { FileName = "again.gguf", FileType = GgufFileType.Find("q8_0")! });
        Assert.DoesNotContain(Metadata(again).Keys, key => key.StartsWith("split.", StringComparison.Ordinal));
        GgufComparison.AssertSameTensors(whole, PlanFiles.Write(again, folder.Path).Single());
        using var one = Llama.Load(whole);
        using var several = Llama.Load(parts[0]);
        Assert.Equal(one.Logits([1, 2, 3]), several.Logits([1, 2, 3]));
    }

    [Fact]
    public void A_tensor_larger_than_a_part_gets_one_of_its_own()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        var plan = Plan(checkpoint, recipe => recipe with { SplitBytes = 1 });
        Assert.All(plan.Files, file => Assert.Single(file.Jobs));
    }

    [Fact]
    public void Two_runs_give_the_same_bytes_however_the_rows_are_cut()
    {
        using var checkpoint = TinyConfigs.Create("gemma");
        var (one, other) = (Plan(checkpoint).Files.Single(), Plan(checkpoint).Files.Single());
        Assert.Equal(PlanFiles.Bytes(one, rowsAtOnce: 7), PlanFiles.Bytes(other, rowsAtOnce: 1000));
    }

    [Fact]
    public void Rows_that_no_block_divides_fall_back_and_the_user_is_told()
    {
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["llama"].Replace("\"intermediate_size\": 512", "\"intermediate_size\": 172"));
        var plan = Plan(checkpoint);
        Assert.Equal("FP16", Type(plan, "blk.1.ffn_down.weight"));
        Assert.Contains("Rows of 172 are no whole blocks of Q6_K (256): F16 is taken for blk.1.ffn_down.weight.", plan.Notes);
    }

    [Fact]
    public void A_tied_head_that_is_stored_all_the_same_is_left_out()
    {
        using var checkpoint = TinyConfigs.Create("qwen2", tensors => tensors.Add("lm_head.weight", tensors["model.embed_tokens.weight"]));
        var plan = Plan(checkpoint);
        Assert.DoesNotContain(plan.Files.Single().Jobs, job => job.Name == "output.weight");
        Assert.Empty(plan.Notes);
    }

    [Fact]
    public void Tensors_that_the_architecture_does_not_have_are_left_out_and_named()
    {
        using var checkpoint = TinyConfigs.Create("qwen2", tensors => tensors.Add("model.layers.0.adapter.weight", new([256, 8], new float[2048])));
        Assert.Contains("model.layers.0.adapter.weight is not part of the architecture and left out.", Plan(checkpoint).Notes);
    }

    [Fact]
    public void The_vocabulary_is_filled_up_to_the_rows_of_the_embedding()
    {
        using var checkpoint = TinyConfigs.Create("llama", tensors =>
        {
            foreach (var name in (string[])["model.embed_tokens.weight", "lm_head.weight"])
                tensors[name] = new([384, 256], new float[384 * 256]);
        });
        using var folder = new TemporaryFolder();
        var path = PlanFiles.Write(Plan(checkpoint), folder.Path).Single();
        var metadata = GgufReader.ReadHeader(path).Metadata;
        Assert.Equal(384, metadata.Length("tokenizer.ggml.tokens"));
        Assert.Equal("[PAD383]", metadata.Strings("tokenizer.ggml.tokens")!.Last());
        using var llama = Llama.Load(path);
        Assert.Equal(384, llama.VocabularySize);
    }

    private static OutputPlan Plan(RandomCheckpoint checkpoint, Func<GgufRecipe, GgufRecipe>? change = null)
    {
        var recipe = new GgufRecipe { FileName = "tiny.gguf", FileType = GgufFileType.Find("q4_k_m")! };
        return GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), change?.Invoke(recipe) ?? recipe);
    }

    private static string Type(OutputPlan plan, string tensor) => plan.Files.SelectMany(file => file.Jobs).Single(job => job.Name == tensor).Outputs[0].Format.Name;

    private static GgufMetadata Metadata(OutputPlan plan)
    {
        Assert.True(GgufHeader.TryParse("plan", plan.Files[0].Header, null, out var header));
        return header.Metadata;
    }
}
