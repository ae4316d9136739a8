using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class HubClientTests
{
    [Fact]
    public async Task A_single_file_model_is_read_without_its_weights()
    {
        await using var hub = FakeHub.Start();
        var weights = Samples.Safetensors(("model.embed_tokens.weight", 4_000_000), ("lm_head.weight", 10));
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors", weights), ("README.md", "hello"u8.ToArray()));

        var model = await hub.OpenAsync("org/name");

        Assert.Equal(FakeHub.Commit, model.Commit);
        Assert.Equal(64, model.Config!.Integer("hidden_size"));
        Assert.Equal(["model.embed_tokens.weight", "lm_head.weight"], model.Tensors!.Value.Select(tensor => tensor.Name));
        Assert.Equal([8_000_000, 20], model.Tensors.Value.Select(tensor => tensor.Bytes));
        Assert.Equal(NumberFormats.Bf16, model.Tensors.Value[0].Format);
        Assert.Equal([("README.md", 5), ("config.json", Samples.Config.Length), ("model.safetensors", weights.Length)],
            model.Files.OrderBy(file => file.Path, StringComparer.Ordinal).Select(file => (file.Path, (int)file.Size!)));
        Assert.False(model.FromCache);
        Assert.Empty(model.Notes);
        Assert.Equal(100_000 + Samples.Config.Length, hub.BytesSent);
    }

    [Fact]
    public async Task A_long_header_takes_two_questions_and_not_a_byte_too_many()
    {
        await using var hub = FakeHub.Start();
        var weights = Samples.Safetensors([.. Enumerable.Range(0, 3000).Select(layer => ($"model.layers.{layer}.weight", 100))]);
        hub.Add("org/name", ("model.safetensors", weights));

        var model = await hub.OpenAsync("org/name");

        var header = 8 + BitConverter.ToInt64(weights);
        Assert.Equal(3000, model.Tensors!.Value.Length);
        Assert.Equal(["bytes=0-99999", $"bytes=100000-{header - 1}"], hub.Requests.Where(request => request.IsStorage).Select(request => request.Range!));
    }

    [Fact]
    public async Task Shards_are_those_of_the_index()
    {
        await using var hub = FakeHub.Start();
        var names = Enumerable.Range(1, 20).Select(part => $"model-{part:00000}-of-00020.safetensors").ToList();
        var repository = hub.Add("org/name",
            ("model.safetensors.index.json", Samples.Index([.. names.Select((name, part) => ($"layer.{part}", name))])),
            ("consolidated.safetensors", Samples.Safetensors(("all", 1))));
        for (var part = 0; part < names.Count; part++)
            repository.Files[names[part]] = Samples.Safetensors(($"layer.{part}", part + 1));

        var model = await hub.OpenAsync("org/name");

        Assert.Equal(Enumerable.Range(0, 20).Select(part => $"layer.{part}"), model.Tensors!.Value.Select(tensor => tensor.Name));
        Assert.Equal("org/name/model-00003-of-00020.safetensors", model.Tensors.Value[2].File);
        Assert.DoesNotContain(hub.Paths, path => path.Contains("consolidated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_index_may_not_name_files_elsewhere()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("model.safetensors.index.json", Samples.Index(("a", "../../other/repo/x.safetensors"))));

        var failure = await Assert.ThrowsAsync<CheckpointFormatException>(() => hub.OpenAsync("org/name"));

        Assert.Equal("org/name/model.safetensors.index.json: expected names of files in the repository, found \"../../other/repo/x.safetensors\"", failure.Message);
    }

    [Fact]
    public async Task An_index_that_names_a_missing_file_is_refused()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("model.safetensors.index.json", Samples.Index(("a", "model-00001-of-00001.safetensors"))));

        Assert.Contains("which it lacks", (await Assert.ThrowsAsync<CheckpointFormatException>(() => hub.OpenAsync("org/name"))).Message);
    }

    [Theory]
    [InlineData("org/name", "org/name", "main")]
    [InlineData("org/name@refs/pr/1", "org/name", "refs/pr/1")]
    [InlineData("org/name@0123456789abcdef0123456789abcdef01234567", "org/name", FakeHub.Commit)]
    public async Task Files_are_asked_for_by_commit_whatever_the_revision(string text, string repository, string revision)
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));

        var model = await hub.OpenAsync(text);

        Assert.Equal((repository, revision), (model.Reference.Repository, model.Reference.Revision));
        Assert.Equal($"/org/name/resolve/{FakeHub.Commit}/config.json", hub.Paths[^1]);
    }

    [Fact]
    public async Task A_renamed_repository_is_followed_with_the_token()
    {
        await using var hub = FakeHub.Start();
        hub.Add("new/name", ("config.json", Samples.Config)).IsPrivate = true;
        hub.Renamed["old/name"] = "new/name";

        var model = await hub.OpenAsync("old/name", hub.Settings with { Token = FakeHub.GoodToken });

        Assert.NotNull(model.Config);
        Assert.Contains("/api/models/new/name/revision/main", hub.Paths);
        Assert.All(hub.Requests, request => Assert.Equal("Bearer hf_good", request.Authorization));
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_to_nobody_else()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors", Samples.Safetensors(("a", 1)))).IsGated = true;

        var model = await hub.OpenAsync("org/name", hub.Settings with { Token = FakeHub.GoodToken });

        Assert.NotNull(model.Tensors);
        Assert.All(hub.Requests, request => Assert.Equal(request.IsStorage ? null : "Bearer hf_good", request.Authorization));
        Assert.Contains(hub.Requests, request => request.IsStorage);
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_is_cut_off()
    {
        await using var hub = FakeHub.Start();
        hub.IgnoreRanges = true;
        hub.Add("org/name", ("model.safetensors", Samples.Safetensors([.. Enumerable.Range(0, 3000).Select(layer => ($"model.layers.{layer}.weight", 1)), ("big", FakeHub.Patience)])));

        var model = await hub.OpenAsync("org/name");

        Assert.Equal(3001, model.Tensors!.Value.Length);
        Assert.Equal(2, hub.Requests.Count(request => request.IsStorage));
        Assert.Empty(hub.Pauses);
    }

    [Fact]
    public async Task A_GGUF_header_is_fetched_by_doubling()
    {
        await using var hub = FakeHub.Start();
        var file = Samples.Gguf("token_embd.weight", vocabulary: 200_000);
        hub.Add("org/name-GGUF", ("name-Q4_K_M.gguf", file));

        var model = await hub.OpenAsync("org/name-GGUF");

        Assert.Equal("llama", model.Gguf!.String("general.architecture"));
        Assert.Equal("token_embd.weight", Assert.Single(model.Tensors!.Value).Name);
        Assert.Equal("Q4_K_M", model.GgufChosen!.Tag);
        Assert.Equal(["bytes=0-1048575", "bytes=1048576-2097151", $"bytes=2097152-{file.Length - 1}"], hub.Requests.Where(request => request.IsStorage).Select(request => request.Range!));
    }

    [Fact]
    public async Task Of_several_GGUF_files_the_user_chooses_one()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name-GGUF",
            ("name-Q4_K_M.gguf", Samples.Gguf("four")), ("name-IQ2_XS.gguf", Samples.Gguf("two")), ("name-BF16.gguf", Samples.Gguf("sixteen")), ("mmproj-name-F16.gguf", Samples.Gguf("vision")));

        var open = await hub.OpenAsync("org/name-GGUF");
        var chosen = await hub.OpenAsync("org/name-GGUF:q4_k_m");
        var unknown = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name-GGUF:F16"));

        Assert.True(open.NeedsTag);
        Assert.Null(open.Tensors);
        Assert.Equal(["BF16", "IQ2_XS", "Q4_K_M"], open.GgufChoices.Select(choice => choice.Tag));
        Assert.Equal("org/name-GGUF offers 3 GGUF files; choose one with org/name-GGUF:BF16", Assert.Single(open.Notes));
        Assert.Equal("four", Assert.Single(chosen.Tensors!.Value).Name);
        Assert.Equal(HubFailure.FileNotFound, unknown.Kind);
        Assert.Equal("It offers BF16, IQ2_XS, Q4_K_M.", unknown.Hint);
    }

    [Fact]
    public async Task A_split_GGUF_file_is_one_choice_with_all_its_tensors()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name-GGUF",
            ("Q8_0/name-Q8_0-00001-of-00002.gguf", Samples.Gguf("first", part: 0, parts: 2)),
            ("Q8_0/name-Q8_0-00002-of-00002.gguf", Samples.Gguf("second", part: 1, parts: 2)),
            ("name-Q4_0.gguf", Samples.Gguf("other")));

        var model = await hub.OpenAsync("org/name-GGUF:Q8_0");

        Assert.Equal(["first", "second"], model.Tensors!.Value.Select(tensor => tensor.Name));
        Assert.Equal(0, model.Gguf!.Integer("split.no"));
    }

    [Fact]
    public async Task Safetensors_go_before_GGUF_when_there_is_no_tag()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("model.safetensors", Samples.Safetensors(("a", 1))), ("name-Q4_0.gguf", Samples.Gguf("b")));

        Assert.Equal("a", Assert.Single((await hub.OpenAsync("org/name")).Tensors!.Value).Name);
        Assert.Equal("b", Assert.Single((await hub.OpenAsync("org/name:Q4_0")).Tensors!.Value).Name);
    }

    [Fact]
    public async Task PyTorch_weights_are_named_and_not_downloaded()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), ("pytorch_model.bin", new byte[3000]));

        var model = await hub.OpenAsync("org/name");

        Assert.Null(model.Tensors);
        Assert.Contains("1 PyTorch files", Assert.Single(model.Notes));
        Assert.DoesNotContain(hub.Paths, path => path.EndsWith(".bin", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Quantization_in_a_file_of_its_own_is_found()
    {
        await using var hub = FakeHub.Start();
        hub.Add("nvidia/model", ("config.json", Samples.Config), ("hf_quant_config.json", """{"quantization":{"quant_algo":"NVFP4","exclude_modules":["lm_head"]}}"""u8.ToArray()));

        Assert.Equal("nvfp4", (await hub.OpenAsync("nvidia/model")).Quantization!.PrecisionName);
    }

    [Fact]
    public async Task A_configuration_too_large_to_be_one_is_refused()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", new byte[10_000_001]));

        var failure = await Assert.ThrowsAsync<CheckpointFormatException>(() => hub.OpenAsync("org/name"));

        Assert.Equal("org/name/config.json: at byte 0: expected a file of at most 10,000,000 bytes, found 10,000,001 bytes", failure.Message);
    }

    [Theory]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 127 })]
    [InlineData(new byte[] { 10, 0, 0, 0, 0, 0, 0, 0, 123 })]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[0])]
    public async Task A_bad_header_is_refused_as_on_disk(byte[] file)
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("model.safetensors", file));

        var failure = await Assert.ThrowsAsync<CheckpointFormatException>(() => hub.OpenAsync("org/name"));

        Assert.Equal("org/name/model.safetensors", failure.Path);
        Assert.Empty(Directory.Exists(hub.OwnFolder) ? Directory.GetFiles(hub.OwnFolder, "*", SearchOption.AllDirectories).Where(path => path.Contains("headers", StringComparison.Ordinal)) : []);
    }

    [Theory]
    [InlineData("tokenizers/gguf-vocab/ggml-vocab-falcon.gguf", "falcon", 0)]
    [InlineData("models/stories260k/stories260K-F16.gguf", "llama", 48)]
    public async Task Real_GGUF_files_arrive_as_they_are_on_disk(string file, string architecture, int tensors)
    {
        var content = File.ReadAllBytes(SharedData.Require(file));
        await using var hub = FakeHub.Start();
        hub.Add("org/name-GGUF", ("name.gguf", content));

        var model = await hub.OpenAsync("org/name-GGUF");

        Assert.True(GgufHeader.TryParse("org/name-GGUF/name.gguf", content, content.Length, out var local));
        Assert.Equal(architecture, model.Gguf!.String("general.architecture"));
        Assert.Equal(local.Metadata.Keys, model.Gguf.Keys);
        Assert.Equal(tensors, model.Tensors!.Value.Length);
        Assert.Equal(local.Tensors.Select(tensor => tensor.ToString()), model.Tensors.Value.Select(tensor => tensor.ToString()));
    }

    [Fact]
    public void Creating_a_client_touches_nothing()
    {
        using var client = new HubClient(new HubSettings { Cache = "/nowhere", OwnCache = "/nowhere" });
    }
}
