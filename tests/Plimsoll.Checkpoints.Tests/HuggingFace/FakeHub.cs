using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

/// <summary>A hub on this machine: the paths, headers and codes of the real one, large files on a second server as the real one does.</summary>
internal sealed class FakeHub : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    public const string GoodToken = "hf_good";

    private readonly TemporaryFolder folder = new();
    private readonly WebApplication hub;
    private readonly WebApplication storage;
    private readonly ConcurrentQueue<Request> requests = new();

    private FakeHub()
    {
        hub = Start(AnswerAsync);
        storage = Start(AnswerStorageAsync);
    }

    public static FakeHub Start() => new();

    public sealed record Request(string Path, string? Range, string? Authorization, bool IsStorage);

    public sealed record Repository(Dictionary<string, byte[]> Files)
    {
        public string Commit { get; set; } = FakeHub.Commit;

        public bool IsGated { get; set; }

        public bool IsPrivate { get; set; }
    }

    public Dictionary<string, Repository> Repositories { get; } = [];

    public Dictionary<string, string> Renamed { get; } = [];

    /// <summary>Answers before anything else; returns true when it did.</summary>
    public Func<HttpContext, Task<bool>>? Interfere { get; set; }

    /// <summary>Answer with the whole file whatever is asked, but send no more than <see cref="Patience"/>.</summary>
    public bool IgnoreRanges { get; set; }

    public const int Patience = 1_000_000;

    public IReadOnlyList<Request> Requests => [.. requests];

    public IReadOnlyList<string> Paths => [.. requests.Select(request => request.Path)];

    public string Address => AddressOf(hub);

    public Uri Endpoint => new(Address);

    public string CacheFolder => folder.File("hub");

    public string OwnFolder => folder.File("own");

    /// <summary>Bytes of files that left either server.</summary>
    public long BytesSent;

    public List<TimeSpan> Pauses { get; } = [];

    public List<string> Talk { get; } = [];

    public Repository Add(string name, params (string Path, byte[] Content)[] files) =>
        Repositories[name] = new(files.ToDictionary(file => file.Path, file => file.Content));

    public HubSettings Settings => new() { Endpoint = Endpoint, Cache = CacheFolder, OwnCache = OwnFolder, Timeout = TimeSpan.FromSeconds(5) };

    public HubClient Client(HubSettings? settings = null) =>
        new(settings ?? Settings, Talk.Add, new InstantTime(Pauses), Handler((settings ?? Settings).Timeout));

    public async Task<RemoteModel> OpenAsync(string reference, HubSettings? settings = null)
    {
        using var client = Client(settings);
        return await client.OpenAsync(Parse(reference));
    }

    public static HubReference Parse(string text) => HubReference.TryParse(text, out var reference) ? reference : throw new ArgumentException(text);

    /// <summary>What git calls a blob.</summary>
    public static string GitHash(byte[] content) =>
        Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));

    public void Forget() => requests.Clear();

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        await storage.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>The tests' own handler: the machine's proxy settings are none of their business.</summary>
    private static SocketsHttpHandler Handler(TimeSpan timeout)
    {
        var handler = HubHttp.CreateHandler(timeout);
        handler.UseProxy = false;
        return handler;
    }

    private static WebApplication Start(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        application.Run(answer);
        ((Microsoft.Extensions.Hosting.IHost)application).StartAsync().GetAwaiter().GetResult();
        return application;
    }

    private static string AddressOf(WebApplication application) =>
        application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    private async Task AnswerAsync(HttpContext context)
    {
        Record(context, isStorage: false);
        if (Interfere is { } interfere && await interfere(context))
            return;
        var path = context.Request.Path.Value!;
        if (Renamed.FirstOrDefault(pair => path.Contains($"/{pair.Key}/", StringComparison.Ordinal)) is { Key: not null } renamed)
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = path.Replace(renamed.Key, renamed.Value, StringComparison.Ordinal) + context.Request.QueryString;
        }
        else if (path.Split('/') is ["", "api", "models", var apiOwner, var apiName, "revision", ..])
            await AnswerInfoAsync(context, $"{apiOwner}/{apiName}", Uri.UnescapeDataString(path.Split('/')[6]));
        else if (path.Split('/') is ["", var owner, var name, "resolve", var revision, ..])
            await AnswerFileAsync(context, $"{owner}/{name}", revision, string.Join('/', path.Split('/')[5..]));
        else
            Refuse(context, 404, null);
    }

    private async Task AnswerInfoAsync(HttpContext context, string name, string revision)
    {
        if (Find(context, name, revision) is not { } repository)
            return;
        var siblings = new JsonArray();
        foreach (var (path, content) in repository.Files)
        {
            var sibling = new JsonObject { ["rfilename"] = path, ["size"] = content.Length, ["blobId"] = GitHash(content) };
            if (IsLarge(path))
                sibling["lfs"] = new JsonObject { ["sha256"] = Sha256(content), ["size"] = content.Length, ["pointerSize"] = 135 };
            siblings.Add((JsonNode)sibling);
        }
        await context.Response.WriteAsync(new JsonObject { ["id"] = name, ["sha"] = repository.Commit, ["siblings"] = siblings }.ToJsonString());
    }

    private async Task AnswerFileAsync(HttpContext context, string name, string revision, string file)
    {
        if (Find(context, name, revision) is not { } repository)
            return;
        if (repository.IsGated && !IsAuthorized(context))
        {
            Refuse(context, context.Request.Headers.Authorization.Count == 0 ? 401 : 403, "GatedRepo");
            return;
        }
        context.Response.Headers["X-Repo-Commit"] = repository.Commit;
        if (!repository.Files.TryGetValue(file, out var content))
        {
            Refuse(context, 404, "EntryNotFound");
            return;
        }
        if (!IsLarge(file))
        {
            context.Response.Headers.ETag = $"\"{GitHash(content)}\"";
            await SendAsync(context, content);
            return;
        }
        context.Response.StatusCode = 302;
        context.Response.Headers["X-Linked-Etag"] = $"\"{Sha256(content)}\"";
        context.Response.Headers["X-Linked-Size"] = content.Length.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers.ETag = "\"pointer\"";
        context.Response.Headers.Location = $"{AddressOf(storage)}/{name}/{file}?Signature=secret";
    }

    /// <summary>Refuses a second kind of authorization as the real storage does: the address is signed.</summary>
    private async Task AnswerStorageAsync(HttpContext context)
    {
        Record(context, isStorage: true);
        if (context.Request.Headers.Authorization.Count > 0)
        {
            context.Response.StatusCode = 400;
            return;
        }
        var parts = context.Request.Path.Value!.Split('/');
        context.Response.Headers.ETag = "\"storage-has-its-own\"";
        await SendAsync(context, Repositories[$"{parts[1]}/{parts[2]}"].Files[string.Join('/', parts[3..])]);
    }

    private async Task SendAsync(HttpContext context, byte[] content)
    {
        var range = IgnoreRanges ? null : context.Request.GetTypedHeaders().Range?.Ranges.Single();
        var (from, to) = range is null ? (0, content.Length - 1) : ((int)range.From!.Value, (int)Math.Min(range.To!.Value, content.Length - 1));
        if (range is not null)
        {
            if (from >= content.Length)
            {
                context.Response.StatusCode = 416;
                context.Response.Headers.ContentRange = $"bytes */{content.Length}";
                return;
            }
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{to}/{content.Length}";
        }
        context.Response.ContentLength = to - from + 1;
        var length = IgnoreRanges ? Math.Min(content.Length, Patience) : to - from + 1;
        Interlocked.Add(ref BytesSent, length);
        await context.Response.Body.WriteAsync(content.AsMemory(from, length));
        // Who reads on waits until its own patience ends.
        if (length < to - from + 1)
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private Repository? Find(HttpContext context, string name, string revision)
    {
        if (!Repositories.TryGetValue(name, out var repository) || repository.IsPrivate && !IsAuthorized(context))
        {
            Refuse(context, context.Request.Headers.Authorization.Count == 0 ? 401 : 404, "RepoNotFound");
            return null;
        }
        if (revision != "main" && revision != "refs/pr/1" && revision != repository.Commit)
        {
            Refuse(context, 404, "RevisionNotFound");
            return null;
        }
        return repository;
    }

    private static bool IsAuthorized(HttpContext context) => context.Request.Headers.Authorization == $"Bearer {GoodToken}";

    private static void Refuse(HttpContext context, int status, string? code)
    {
        context.Response.StatusCode = status;
        if (code is not null)
            context.Response.Headers["X-Error-Code"] = code;
    }

    private void Record(HttpContext context, bool isStorage) =>
        requests.Enqueue(new(context.Request.Path.Value!, context.Request.Headers.Range, context.Request.Headers.Authorization, isStorage));

    private static bool IsLarge(string path) => path.EndsWith(".safetensors", StringComparison.Ordinal) || path.EndsWith(".gguf", StringComparison.Ordinal);

    public static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>A clock on which every pause is over at once, and noted.</summary>
    private sealed class InstantTime(List<TimeSpan> pauses) : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                pauses.Add(dueTime);
                ThreadPool.QueueUserWorkItem(_ => callback(state));
            }
            return new Timer();
        }

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
