using System.Text;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class HubCacheTests
{
    /// <summary><c>git hash-object</c> of <see cref="Samples.Config"/>.</summary>
    private const string ConfigHash = "73e4c536589b053f7e18b25320920b1ec70ffb4e";

    /// <summary>The layout of huggingface_hub's documentation ("Understand caching").</summary>
    [Fact]
    public async Task Small_files_are_where_other_tools_look_for_them()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors", Samples.Safetensors(("a", 1))), ("sub/tokenizer_config.json", "{}"u8.ToArray()));

        await hub.OpenAsync("org/name");
        using (var client = hub.Client())
            await client.ReadFileAsync(FakeHub.Parse("org/name"), "sub/tokenizer_config.json", 1000);

        Assert.Equal(
            $"""
            CACHEDIR.TAG
            models--org--name/blobs/{ConfigHash}
            models--org--name/blobs/{FakeHub.GitHash("{}"u8.ToArray())}
            models--org--name/refs/main
            models--org--name/snapshots/{FakeHub.Commit}/config.json -> ../../blobs/{ConfigHash}
            models--org--name/snapshots/{FakeHub.Commit}/sub/tokenizer_config.json -> ../../../blobs/{FakeHub.GitHash("{}"u8.ToArray())}
            """.ReplaceLineEndings("\n"), Tree(hub.CacheFolder));
        Assert.Equal(FakeHub.Commit, File.ReadAllText(Path.Combine(hub.CacheFolder, "models--org--name", "refs", "main")));
        Assert.Equal(Samples.Config, File.ReadAllBytes(Path.Combine(hub.CacheFolder, "models--org--name", "snapshots", FakeHub.Commit, "config.json")));
        Assert.StartsWith("Signature: 8a477f597d28d172789f06886806bc55\n", File.ReadAllText(Path.Combine(hub.CacheFolder, "CACHEDIR.TAG")));
    }

    [Fact]
    public async Task Without_links_the_snapshot_holds_the_file_itself()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));

        await hub.OpenAsync("org/name", hub.Settings with { Symlinks = false });

        Assert.Contains($"snapshots/{FakeHub.Commit}/config.json\n", Tree(hub.CacheFolder) + "\n");
        Assert.False(Directory.Exists(Path.Combine(hub.CacheFolder, "models--org--name", "blobs")));
    }

    [Fact]
    public async Task A_header_is_never_put_where_a_whole_file_is_expected()
    {
        await using var hub = FakeHub.Start();
        var weights = Samples.Safetensors(("a", 1_000_000));
        hub.Add("org/name", ("model.safetensors", weights));

        await hub.OpenAsync("org/name");

        Assert.Equal("models--org--name/refs/main", Tree(hub.CacheFolder));
        Assert.Equal($"headers/{FakeHub.Sha256(weights)}\nlistings/models--org--name/{FakeHub.Commit}.json", Tree(hub.OwnFolder));
        Assert.Equal(100_000, new FileInfo(Path.Combine(hub.OwnFolder, "headers", FakeHub.Sha256(weights))).Length);
    }

    [Fact]
    public async Task A_second_look_costs_one_question_and_a_commit_none()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors", Samples.Safetensors(("a", 1))));
        await hub.OpenAsync("org/name");
        hub.Forget();

        var again = await hub.OpenAsync("org/name");
        var byCommit = await hub.OpenAsync("org/name@" + FakeHub.Commit);

        Assert.Equal(["/api/models/org/name/revision/main"], hub.Paths);
        Assert.NotNull(again.Config);
        Assert.NotNull(byCommit.Tensors);
    }

    [Fact]
    public async Task Offline_everything_seen_before_is_known()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors.index.json", Samples.Index(("a", "model-00001-of-00001.safetensors"))), ("model-00001-of-00001.safetensors", Samples.Safetensors(("a", 1))));
        var online = await hub.OpenAsync("org/name");
        hub.Forget();

        var offline = await hub.OpenAsync("org/name", hub.Settings with { Offline = true });

        Assert.Empty(hub.Requests);
        Assert.True(offline.FromCache);
        Assert.Equal(online.Tensors!.Value.Select(tensor => tensor.ToString()), offline.Tensors!.Value.Select(tensor => tensor.ToString()));
        Assert.Equal(online.Commit, offline.Commit);
        Assert.Equal(online.Files, offline.Files);
        Assert.Empty(offline.Notes);
    }

    [Fact]
    public async Task Offline_what_was_never_seen_is_told_with_the_place_that_was_searched()
    {
        await using var hub = FakeHub.Start();

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name", hub.Settings with { Offline = true }));

        Assert.Equal(HubFailure.Offline, failure.Kind);
        Assert.Equal($"org/name at revision \"main\" is not in the cache {hub.CacheFolder}, and the network is not to be used", failure.Message);
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public async Task When_the_hub_is_down_the_cache_answers_and_says_so()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        await hub.OpenAsync("org/name");
        hub.Interfere = context =>
        {
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };

        var model = await hub.OpenAsync("org/name");

        Assert.True(model.FromCache);
        Assert.NotNull(model.Config);
        Assert.Equal("org/name: the server answered 503 (Service Unavailable) after 2 tries (127.0.0.1); this is commit 01234567 from the cache", model.Notes[0]);
    }

    [Fact]
    public async Task A_refusal_is_not_answered_from_the_cache()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        await hub.OpenAsync("org/name");
        hub.Repositories.Clear();

        Assert.Equal(HubFailure.RepositoryNotFound, (await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name"))).Kind);
    }

    [Fact]
    public async Task What_Python_downloaded_is_read_without_the_network()
    {
        await using var hub = FakeHub.Start();
        var weights = Samples.Safetensors(("a", 3));
        Download(hub.CacheFolder, "org/name", FakeHub.Commit, ("config.json", Samples.Config), ("model.safetensors", weights));

        var model = await hub.OpenAsync("org/name", hub.Settings with { Offline = true });

        Assert.Equal(64, model.Config!.Integer("hidden_size"));
        Assert.Equal(6, Assert.Single(model.Tensors!.Value).Bytes);
        Assert.Equal([("config.json", Samples.Config.Length), ("model.safetensors", weights.Length)], model.Files.Select(file => (file.Path, (int)file.Size!)));
    }

    [Fact]
    public async Task Weights_on_disk_are_not_asked_for()
    {
        await using var hub = FakeHub.Start();
        var weights = Samples.Safetensors(("a", 3));
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors", weights));
        Download(hub.CacheFolder, "org/name", FakeHub.Commit, ("config.json", Samples.Config), ("model.safetensors", weights));

        var model = await hub.OpenAsync("org/name");

        Assert.NotNull(model.Tensors);
        Assert.Equal(["/api/models/org/name/revision/main"], hub.Paths);
        Assert.False(Directory.Exists(Path.Combine(hub.OwnFolder, "headers")));
    }

    [Fact]
    public async Task Planning_a_newer_commit_leaves_downloaded_weights_usable()
    {
        const string older = "ffffffffffffffffffffffffffffffffffffffff";
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        Download(hub.CacheFolder, "org/name", older, ("config.json", Samples.Config), ("model.safetensors", Samples.Safetensors(("a", 3))));

        var model = await hub.OpenAsync("org/name");

        Assert.Equal(FakeHub.Commit, model.Commit);
        Assert.Equal(older, File.ReadAllText(Path.Combine(hub.CacheFolder, "models--org--name", "refs", "main")));
    }

    [Fact]
    public async Task A_moved_branch_moves_in_a_cache_that_holds_no_weights()
    {
        const string newer = "ffffffffffffffffffffffffffffffffffffffff";
        await using var hub = FakeHub.Start();
        var repository = hub.Add("org/name", ("config.json", Samples.Config));
        await hub.OpenAsync("org/name");
        repository.Commit = newer;

        await hub.OpenAsync("org/name");

        Assert.Equal(newer, File.ReadAllText(Path.Combine(hub.CacheFolder, "models--org--name", "refs", "main")));
        Assert.Single(Directory.GetFiles(Path.Combine(hub.CacheFolder, "models--org--name", "blobs")));
    }

    [Fact]
    public async Task A_file_that_vanished_is_remembered_as_missing()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        hub.Interfere = context =>
        {
            if (context.Request.Path.Value!.StartsWith("/api", StringComparison.Ordinal))
                return Task.FromResult(false);
            context.Response.StatusCode = 404;
            context.Response.Headers["X-Error-Code"] = "EntryNotFound";
            context.Response.Headers["X-Repo-Commit"] = FakeHub.Commit;
            return Task.FromResult(true);
        };

        Assert.Null((await hub.OpenAsync("org/name")).Config);
        hub.Forget();
        await hub.OpenAsync("org/name");

        Assert.True(File.Exists(Path.Combine(hub.CacheFolder, "models--org--name", ".no_exist", FakeHub.Commit, "config.json")));
        Assert.Equal(["/api/models/org/name/revision/main"], hub.Paths);
    }

    [Fact]
    public async Task A_damaged_store_of_ours_is_fetched_again()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("model.safetensors", Samples.Safetensors(("a", 1))));
        await hub.OpenAsync("org/name");
        foreach (var file in Directory.GetFiles(hub.OwnFolder, "*", SearchOption.AllDirectories))
            File.WriteAllText(file, "damaged data of more than eight bytes");

        Assert.NotNull((await hub.OpenAsync("org/name@" + FakeHub.Commit)).Tensors);
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_no_failure()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors", Samples.Safetensors(("a", 1))));
        using var folder = new TemporaryFolder();
        // A file where the folder should be.
        var blocked = folder.Write("blocked", "");

        var model = await hub.OpenAsync("org/name", hub.Settings with { Cache = blocked, OwnCache = blocked });

        Assert.NotNull(model.Config);
        Assert.NotNull(model.Tensors);
    }

    [Theory]
    [InlineData("../../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b.json")]
    [InlineData("a\\..\\b.json")]
    [InlineData("C:b.json")]
    public async Task A_hostile_listing_cannot_leave_the_cache(string name)
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), (name, Samples.Config));

        var model = await hub.OpenAsync("org/name");

        Assert.Equal("config.json", Assert.Single(model.Files).Path);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../../evil")]
    [InlineData("")]
    [InlineData("a b")]
    public async Task A_hostile_hash_names_no_file(string etag)
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        hub.Interfere = async context =>
        {
            if (context.Request.Path.Value!.StartsWith("/api", StringComparison.Ordinal))
                return false;
            context.Response.Headers.ETag = $"\"{etag}\"";
            await context.Response.Body.WriteAsync(Samples.Config);
            return true;
        };

        Assert.NotNull((await hub.OpenAsync("org/name")).Config);
        Assert.Equal("models--org--name/refs/main", Tree(hub.CacheFolder));
    }

    /// <summary>What huggingface_hub leaves behind after <c>snapshot_download</c>.</summary>
    private static void Download(string cache, string repository, string commit, params (string Name, byte[] Content)[] files)
    {
        var folder = Path.Combine(cache, "models--" + repository.Replace("/", "--", StringComparison.Ordinal));
        foreach (var part in new[] { "refs", "blobs", $"snapshots/{commit}" })
            Directory.CreateDirectory(Path.Combine(folder, part));
        File.WriteAllText(Path.Combine(folder, "refs", "main"), commit);
        foreach (var (name, content) in files)
        {
            File.WriteAllBytes(Path.Combine(folder, "blobs", FakeHub.Sha256(content)), content);
            File.CreateSymbolicLink(Path.Combine(folder, "snapshots", commit, name), $"../../blobs/{FakeHub.Sha256(content)}");
        }
    }

    private static string Tree(string folder)
    {
        var lines = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path) + (new FileInfo(path).LinkTarget is { } target ? $" -> {target}" : ""))
            .Order(StringComparer.Ordinal);
        return new StringBuilder().AppendJoin('\n', lines).ToString();
    }
}
