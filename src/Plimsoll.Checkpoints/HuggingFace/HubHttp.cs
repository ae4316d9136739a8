using System.Globalization;
using System.Net;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Bytes <paramref name="From"/> to <paramref name="To"/> of a file, the last one not included.</summary>
internal readonly record struct HubRange(long From, long To)
{
    public long Length => To - From;
}

/// <param name="Name">What is asked for, in messages.</param>
/// <param name="Limit">The most bytes that are read.</param>
internal sealed record HubRequest(HubReference Reference, Uri Address, string Name, long Limit)
{
    public HubRange? Range { get; init; }

    /// <summary>The file in the repository; null when the question is about the repository.</summary>
    public string? File { get; init; }

    /// <summary>How often an outage is tried to be waited out; less where the cache has an answer too.</summary>
    public int Attempts { get; init; } = 5;
}

/// <param name="Size">Bytes of the whole file, also when only a range was read; null when the server does not tell.</param>
internal sealed record HubResponse(byte[] Body, string? Commit, string? ETag, long? Size);

/// <summary>Asks the hub: authorization, redirects, ranges, timeouts, retries.</summary>
internal sealed class HubHttp : IDisposable
{
    private const int MaxRedirects = 8;

    /// <summary>Waiting doubles from here, as in huggingface_hub (1 s to 8 s) but starting earlier: a header is small.</summary>
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(8);

    /// <summary>A server that wants a longer pause gets an error message instead: somebody sits in front of the screen.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromSeconds(60);

    private readonly HubSettings settings;
    private readonly HttpClient client;
    private readonly TimeProvider time;
    private readonly Action<string> talk;

    public HubHttp(HubSettings settings, HttpMessageHandler? handler, TimeProvider time, Action<string> talk)
    {
        this.settings = settings;
        this.time = time;
        this.talk = talk;
        handler ??= CreateHandler(settings.Timeout);
        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd($"plimsoll/{typeof(HubHttp).Assembly.GetName().Version?.ToString(3)}");
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
    }

    /// <summary>No automatic redirects: who may see the token is decided here, and the first answer carries the file's hash.</summary>
    public static SocketsHttpHandler CreateHandler(TimeSpan timeout) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = timeout,
        UseCookies = false,
        MaxConnectionsPerServer = HubLimits.Concurrency,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    };

    /// <exception cref="HubException">The hub did not give it.</exception>
    public async Task<HubResponse> GetAsync(HubRequest request, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            Outage outage;
            try
            {
                var (response, busy) = await AttemptAsync(request, cancellation).ConfigureAwait(false);
                if (response is not null)
                    return response;
                outage = busy!;
            }
            catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError)
            {
                throw HubMessages.Unreachable(settings, failure);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException)
            {
                outage = new(failure is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } ? HubFailure.Offline : HubFailure.Unavailable, failure.Message, null, failure);
            }
            catch (OperationCanceledException failure) when (!cancellation.IsCancellationRequested)
            {
                outage = new(HubFailure.Offline, $"no answer within {settings.Timeout.TotalSeconds:0.##} s", null, failure);
            }

            if (attempt == request.Attempts || outage.RetryAfter > MaxRetryAfter)
                throw HubMessages.GivenUp(settings, request, outage, attempt);
            var delay = outage.RetryAfter ?? BackOff(attempt);
            talk($"{request.Name}: {outage.Reason}; trying again in {delay.TotalSeconds:0.#} s ({attempt + 1} of {request.Attempts})");
            await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose() => client.Dispose();

    /// <summary>Half to one and a half of the step, so that many clients do not come back at once.</summary>
    private static TimeSpan BackOff(int attempt)
    {
        var step = Math.Min(FirstDelay.TotalSeconds * Math.Pow(2, attempt - 1), MaxDelay.TotalSeconds);
        return TimeSpan.FromSeconds(step * (0.5 + Random.Shared.NextDouble()));
    }

    /// <summary>One try, all redirects included. Either result is null.</summary>
    private async Task<(HubResponse? Response, Outage? Busy)> AttemptAsync(HubRequest request, CancellationToken cancellation)
    {
        // Restarted with every piece that arrives: a slow line is fine, a silent one is not.
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var address = request.Address;
        var file = new FileHeaders();
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            idle.CancelAfter(settings.Timeout);
            using var message = CreateMessage(request, address);
            using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, idle.Token).ConfigureAwait(false);
            file = file.With(response);
            if ((int)response.StatusCode is >= 300 and < 400)
            {
                address = Follow(address, response, request);
                continue;
            }
            if (IsBusy(response.StatusCode))
                return (null, new(HubFailure.Unavailable, $"the server answered {(int)response.StatusCode} ({response.ReasonPhrase})", RetryAfter(response), null));
            if (!response.IsSuccessStatusCode)
            {
                // Asked for what lies behind the end of the file.
                if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && request.Range is not null)
                    return (new([], file.Commit, file.ETag, response.Content.Headers.ContentRange?.Length ?? file.Size), null);
                throw HubMessages.Refused(settings, request, response, file.Commit);
            }
            var (body, size) = await ReadAsync(request, response, idle).ConfigureAwait(false);
            return (new(body, file.Commit, file.ETag, size ?? file.Size), null);
        }
        throw new HubException(HubFailure.Unavailable, $"{request.Name}: the hub sent us round {MaxRedirects} redirects without an answer", "Check HF_ENDPOINT and the proxy settings.");
    }

    private HttpRequestMessage CreateMessage(HubRequest request, Uri address)
    {
        var message = new HttpRequestMessage(HttpMethod.Get, address);
        if (request.Range is { } range)
            message.Headers.Range = new(range.From, range.To - 1);
        // Files lie on other hosts behind signed addresses: the token is for the hub alone.
        if (settings.Token is { } token && IsHub(address))
            message.Headers.Authorization = new("Bearer", token);
        return message;
    }

    private bool IsHub(Uri address) =>
        address.Scheme == settings.Endpoint.Scheme && address.Port == settings.Endpoint.Port && string.Equals(address.Host, settings.Endpoint.Host, StringComparison.OrdinalIgnoreCase);

    private static Uri Follow(Uri address, HttpResponseMessage response, HubRequest request)
    {
        var next = response.Headers.Location is { } location ? new Uri(address, location) : null;
        if (next is null || next.Scheme is not ("http" or "https") || address.Scheme == "https" && next.Scheme == "http")
        {
            throw new HubException(HubFailure.Unavailable,
                $"{request.Name}: the hub redirects to {next?.ToString() ?? "nowhere"}, which is not followed", "Check HF_ENDPOINT and the proxy settings.");
        }
        return next;
    }

    private static bool IsBusy(HttpStatusCode status) => (int)status is 408 or 429 or 500 or 502 or 503 or 504;

    /// <summary><c>Retry-After</c> in seconds or as a date; otherwise the hub's <c>ratelimit: "api";r=0;t=55</c>.</summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.RetryAfter is { } after)
        {
            var delay = after.Delta ?? after.Date - time.GetUtcNow();
            return delay < TimeSpan.Zero ? TimeSpan.Zero : delay;
        }
        if (response.StatusCode == HttpStatusCode.TooManyRequests && response.Headers.TryGetValues("ratelimit", out var values))
        {
            foreach (var part in string.Join(';', values).Split(';', StringSplitOptions.TrimEntries))
            {
                if (part.StartsWith("t=", StringComparison.Ordinal) && int.TryParse(part.AsSpan(2), CultureInfo.InvariantCulture, out var seconds) && seconds >= 0)
                    return TimeSpan.FromSeconds(seconds);
            }
        }
        return null;
    }

    /// <summary>Reads what was asked for and not a byte more: a server that ignores the range is cut off.</summary>
    private async Task<(byte[] Body, long? Size)> ReadAsync(HubRequest request, HttpResponseMessage response, CancellationTokenSource idle)
    {
        var headers = response.Content.Headers;
        if (headers.ContentEncoding.Any(encoding => encoding != "identity"))
            throw new HubException(HubFailure.Unavailable, $"{request.Name}: the server compresses although it was asked not to ({string.Join(", ", headers.ContentEncoding)})", "Check HF_ENDPOINT and the proxy settings.");
        var isPart = response.StatusCode == HttpStatusCode.PartialContent;
        var size = isPart ? headers.ContentRange?.Length : headers.ContentLength;
        if (isPart && (request.Range is not { } asked || headers.ContentRange?.From != asked.From))
            throw new HubException(HubFailure.Unavailable, $"{request.Name}: asked for {request.Range}, the server sends {headers.ContentRange}", "Check HF_ENDPOINT and the proxy settings.");

        var skip = isPart ? 0 : request.Range?.From ?? 0;
        var limit = Math.Min(request.Range?.Length ?? request.Limit, request.Limit);
        if (request.Range is null && size > limit)
            throw TooLarge(request, size.Value);
        await using var stream = await response.Content.ReadAsStreamAsync(idle.Token).ConfigureAwait(false);
        await SkipAsync(stream, skip, idle).ConfigureAwait(false);
        var body = await ReadUpToAsync(stream, limit, size - skip, idle).ConfigureAwait(false);
        if (request.Range is null && body.Length == limit && await stream.ReadAsync(new byte[1], idle.Token).ConfigureAwait(false) > 0)
            throw TooLarge(request, null);
        return (body, size);
    }

    private async Task SkipAsync(Stream stream, long bytes, CancellationTokenSource idle)
    {
        var buffer = new byte[(int)Math.Min(bytes, 81_920)];
        while (bytes > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(bytes, buffer.Length)), idle.Token).ConfigureAwait(false);
            if (read == 0)
                return;
            idle.CancelAfter(settings.Timeout);
            bytes -= read;
        }
    }

    /// <param name="announced">What the server said will come: the buffer starts with that much, within reason, and grows with what really comes.</param>
    private async Task<byte[]> ReadUpToAsync(Stream stream, long limit, long? announced, CancellationTokenSource idle)
    {
        const int reason = 1 << 20;
        var buffer = new byte[(int)Math.Min(Math.Min(limit, Math.Max(announced ?? 4096, 1)), reason)];
        var length = 0;
        while (length < limit)
        {
            if (length == buffer.Length)
                Array.Resize(ref buffer, (int)Math.Min(limit, 2L * buffer.Length));
            var read = await stream.ReadAsync(buffer.AsMemory(length), idle.Token).ConfigureAwait(false);
            if (read == 0)
                break;
            idle.CancelAfter(settings.Timeout);
            length += read;
        }
        Array.Resize(ref buffer, length);
        return buffer;
    }

    private static CheckpointFormatException TooLarge(HubRequest request, long? size) =>
        new(request.Name, 0, $"a file of at most {request.Limit:N0} bytes", size is { } bytes ? $"{bytes:N0} bytes" : "more");

    /// <summary>What the hub tells about a file; with redirects, the first answer that tells it.</summary>
    private readonly record struct FileHeaders(string? Commit, string? LinkedETag, string? LastETag, long? Size)
    {
        /// <summary>The hub's own hash; a host of large files has hashes of its own, which count only where there are no others.</summary>
        public string? ETag => LinkedETag ?? LastETag;

        public FileHeaders With(HttpResponseMessage response) => new(
            Commit ?? Value(response, "X-Repo-Commit"),
            LinkedETag ?? Normalize(Value(response, "X-Linked-Etag")),
            Normalize(Value(response, "ETag")) ?? LastETag,
            Size ?? (long.TryParse(Value(response, "X-Linked-Size"), CultureInfo.InvariantCulture, out var size) ? size : null));

        private static string? Value(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

        /// <summary>Without quotes and without the mark of a weak tag.</summary>
        private static string? Normalize(string? etag)
        {
            if (etag is null)
                return null;
            if (etag.StartsWith("W/", StringComparison.Ordinal))
                etag = etag[2..];
            return etag.Trim('"');
        }
    }
}

/// <summary>A try that failed for a reason that may pass.</summary>
internal sealed record Outage(HubFailure Kind, string Reason, TimeSpan? RetryAfter, Exception? Cause);
