namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Parses a header from the first bytes of a file; false when more are needed.</summary>
internal delegate bool HeaderParser<T>(string path, ReadOnlyMemory<byte> prefix, long? fileLength, out T? header, out long needed) where T : class;

/// <summary>How the header of a file format is fetched.</summary>
/// <param name="First">Bytes to ask for at first.</param>
/// <param name="Growth">A parser that knows only the next piece it needs would ask often: ask for this many times what is there.</param>
internal sealed record HeaderFormat<T>(int First, int Growth, HeaderParser<T> Parse) where T : class;

/// <summary>One commit of one repository: its files, read from the caches first.</summary>
internal sealed class HubSession
{
    private readonly HubSettings settings;
    private readonly HubHttp? http;
    private readonly HubCache cache;
    private readonly HubHeaderStore store;

    private HubSession(HubSettings settings, HubHttp? http, HubCache cache, HubHeaderStore store, HubReference reference, HubListing listing)
    {
        this.settings = settings;
        this.http = http;
        this.cache = cache;
        this.store = store;
        Reference = reference;
        Listing = listing;
    }

    public HubReference Reference { get; }

    public HubListing Listing { get; }

    /// <summary>No network: what the caches lack is not to be had.</summary>
    public bool IsOffline => http is null;

    /// <summary>Why the hub was not reached although it was wanted.</summary>
    public HubException? Outage { get; private init; }

    /// <param name="connect">Called when the network is really needed.</param>
    public static async Task<HubSession> OpenAsync(HubSettings settings, Func<HubHttp> connect, HubReference reference, CancellationToken cancellation)
    {
        var cache = new HubCache(settings.Cache, settings.Symlinks);
        var store = new HubHeaderStore(settings.OwnCache);
        HubException? outage = null;
        if (!settings.Offline)
        {
            // A commit never changes: what is known of it needs no question.
            if (HubListing.IsCommit(reference.Revision) && StoredListing(store, reference, reference.Revision) is { } known)
                return new(settings, connect(), cache, store, reference, known);
            try
            {
                return new(settings, connect(), cache, store, reference, await AskAsync(settings, connect(), cache, store, reference, cancellation).ConfigureAwait(false));
            }
            catch (HubException failure) when (failure.IsOutage)
            {
                outage = failure;
            }
        }
        var commit = cache.FindCommit(reference.Repository, reference.Revision);
        var listing = commit is null ? null : StoredListing(store, reference, commit) ?? new HubListing(commit, [.. cache.Files(reference.Repository, commit)]);
        if (listing is not { Files.Length: > 0 })
            throw outage ?? HubMessages.NotCached(settings, reference);
        return new(settings, null, cache, store, reference, listing) { Outage = outage };
    }

    /// <summary>How messages name a file.</summary>
    public string Name(string file) => $"{Reference.Repository}/{file}";

    /// <summary>A whole small file; null when the commit lacks it, or it is not in the cache and there is no network.</summary>
    /// <exception cref="HubException">The hub refuses it.</exception>
    /// <exception cref="CheckpointFormatException">It is larger than <paramref name="limit"/>.</exception>
    public async Task<byte[]?> ReadFileAsync(string file, long limit, CancellationToken cancellation)
    {
        if (cache.FindFile(Reference.Repository, Listing.Commit, file) is { } path)
        {
            var length = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is FileInfo target ? target.Length : new FileInfo(path).Length;
            return length <= limit
                ? await File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false)
                : throw new CheckpointFormatException(path, 0, $"a file of at most {limit:N0} bytes", $"{length:N0} bytes");
        }
        if (http is null || Listing.Find(file) is not { } listed || cache.IsKnownMissing(Reference.Repository, Listing.Commit, file))
            return null;
        try
        {
            var response = await http.GetAsync(Request(file, limit), cancellation).ConfigureAwait(false);
            if (listed.Size is { } expected && expected != response.Body.Length)
                throw new HubException(HubFailure.Unavailable, $"{Name(file)}: the hub lists {expected:N0} bytes and sends {response.Body.Length:N0}", "Check HF_ENDPOINT and the proxy settings, or try again later.");
            cache.StoreFile(Reference.Repository, Listing.Commit, file, response.ETag, response.Body);
            return response.Body;
        }
        catch (HubException failure) when (failure.Kind == HubFailure.FileNotFound)
        {
            if (failure.Commit == Listing.Commit)
                cache.StoreMissing(Reference.Repository, Listing.Commit, file);
            return null;
        }
    }

    /// <summary>The header of a file that may be huge: from a copy on disk, from an earlier run, or by range requests.</summary>
    /// <returns>Null when it is not in the caches and there is no network.</returns>
    public async Task<T?> ReadHeaderAsync<T>(HubFile file, HeaderFormat<T> format, CancellationToken cancellation) where T : class
    {
        if (cache.FindFile(Reference.Repository, Listing.Commit, file.Path) is { } path)
        {
            await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            return (await ReadHeaderAsync(file with { Size = stream.Length }, format, range => ReadFromAsync(stream, range, cancellation)).ConfigureAwait(false)).Header;
        }
        if (store.FindPrefix(file) is { } stored && TryParseStored(file, stored, format) is { } known)
            return known;
        if (http is null)
            return null;
        string? etag = null;
        var (header, prefix) = await ReadHeaderAsync(file, format, async range =>
        {
            var response = await http.GetAsync(Request(file.Path, HubLimits.MaxHeaderBytes) with { Range = range }, cancellation).ConfigureAwait(false);
            if (etag is not null && response.ETag != etag)
                throw new HubException(HubFailure.Unavailable, $"{Name(file.Path)} changed while it was read", "Try again.");
            etag = response.ETag;
            if (file.Size is { } listed && response.Size is { } size && listed != size)
                throw new HubException(HubFailure.Unavailable, $"{Name(file.Path)}: the hub lists {listed:N0} bytes and the file has {size:N0}", "Check HF_ENDPOINT and the proxy settings, or try again later.");
            return (response.Body, response.Size);
        }).ConfigureAwait(false);
        store.StorePrefix(file, prefix);
        return header;
    }

    private async Task<(T Header, byte[] Prefix)> ReadHeaderAsync<T>(HubFile file, HeaderFormat<T> format, Func<HubRange, Task<(byte[] Body, long? Size)>> read) where T : class
    {
        byte[] prefix = [];
        var size = file.Size;
        for (var wanted = (long)format.First; ;)
        {
            var range = new HubRange(prefix.Length, Math.Min(wanted, size ?? long.MaxValue));
            var (body, total) = range.Length > 0 ? await read(range).ConfigureAwait(false) : ([], size);
            size ??= total;
            prefix = [.. prefix, .. body];
            if (format.Parse(Name(file.Path), prefix, size, out var header, out var needed))
                return (header!, prefix);
            if (body.Length == 0 || prefix.Length >= size)
                throw new CheckpointFormatException(Name(file.Path), prefix.Length, $"a header of at least {needed:N0} bytes", "the end of the file");
            if (needed > HubLimits.MaxHeaderBytes)
                throw new CheckpointFormatException(Name(file.Path), prefix.Length, $"a header of at most {HubLimits.MaxHeaderBytes:N0} bytes", $"one of at least {needed:N0}");
            wanted = Math.Min(Math.Max(needed, (long)format.Growth * prefix.Length), HubLimits.MaxHeaderBytes);
        }
    }

    private T? TryParseStored<T>(HubFile file, byte[] stored, HeaderFormat<T> format) where T : class
    {
        try
        {
            return format.Parse(Name(file.Path), stored, file.Size, out var header, out _) ? header : null;
        }
        catch (CheckpointFormatException)
        {
            // A damaged copy of ours says nothing about the file.
            return null;
        }
    }

    private static async Task<(byte[] Body, long? Size)> ReadFromAsync(FileStream stream, HubRange range, CancellationToken cancellation)
    {
        var buffer = new byte[(int)range.Length];
        stream.Position = range.From;
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        return (buffer[..length], stream.Length);
    }

    private HubRequest Request(string file, long limit) => new(
        Reference,
        new($"{settings.Endpoint.ToString().TrimEnd('/')}/{Reference.Repository}/resolve/{Listing.Commit}/{string.Join('/', file.Split('/').Select(Uri.EscapeDataString))}"),
        Name(file), limit)
    { File = file };

    private static async Task<HubListing> AskAsync(HubSettings settings, HubHttp http, HubCache cache, HubHeaderStore store, HubReference reference, CancellationToken cancellation)
    {
        var address = new Uri($"{settings.Endpoint.ToString().TrimEnd('/')}/api/models/{reference.Repository}/revision/{Uri.EscapeDataString(reference.Revision)}?blobs=true");
        var request = new HubRequest(reference, address, reference.Repository, HubListing.MaxBytes);
        if (cache.FindCommit(reference.Repository, reference.Revision) is not null)
            request = request with { Attempts = 2 };
        var response = await http.GetAsync(request, cancellation).ConfigureAwait(false);
        var listing = HubListing.Parse(address.ToString(), response.Body);
        store.StoreListing(reference.Repository, listing.Commit, response.Body);
        cache.StoreRef(reference.Repository, reference.Revision, listing.Commit);
        return listing;
    }

    private static HubListing? StoredListing(HubHeaderStore store, HubReference reference, string commit)
    {
        try
        {
            return store.FindListing(reference.Repository, commit) is { } json && HubListing.Parse(reference.Repository, json) is var listing && listing.Commit == commit ? listing : null;
        }
        catch (CheckpointFormatException)
        {
            return null;
        }
    }
}
