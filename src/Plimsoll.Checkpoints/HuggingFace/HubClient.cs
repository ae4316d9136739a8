namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Reads what a model on the hub is: configuration, file list, tensor headers. Weights are never downloaded.</summary>
/// <remarks>Creating one costs nothing; the network is touched by the first question that the caches cannot answer.</remarks>
public sealed class HubClient : IDisposable
{
    private readonly HubSettings settings;
    private readonly Lazy<HubHttp> http;

    /// <param name="talk">Gets a sentence when something takes longer: a pause before another try.</param>
    /// <param name="time">Measures the pauses.</param>
    public HubClient(HubSettings settings, Action<string>? talk = null, TimeProvider? time = null)
        : this(settings, talk, time, handler: null)
    {
    }

    internal HubClient(HubSettings settings, Action<string>? talk, TimeProvider? time, HttpMessageHandler? handler)
    {
        this.settings = settings;
        http = new(() => new HubHttp(settings, handler, time ?? TimeProvider.System, talk ?? (_ => { })));
    }

    /// <summary>Reads a model: from the hub, or from the caches when offline or when the hub does not answer.</summary>
    /// <exception cref="HubException">The hub does not give it; <see cref="HubException.Kind"/> tells why.</exception>
    /// <exception cref="CheckpointFormatException">A file is bad.</exception>
    public async Task<RemoteModel> OpenAsync(HubReference reference, CancellationToken cancellation = default)
    {
        var session = await OpenSessionAsync(reference, cancellation).ConfigureAwait(false);
        var configuration = await session.ReadFileAsync("config.json", HubLimits.MaxConfigBytes, cancellation).ConfigureAwait(false);
        var config = configuration is null ? null : ModelConfig.Parse(session.Name("config.json"), configuration);
        var weights = await HubWeights.ReadAsync(session, cancellation).ConfigureAwait(false);
        var quantization = config is null ? null : QuantizationConfig.Find(config) ?? await ReadQuantizationAsync(session, cancellation).ConfigureAwait(false);
        var notes = new List<string>();
        if (session.Outage is { } outage)
            notes.Add($"{outage.Message}; this is commit {session.Listing.Commit[..8]} from the cache");
        return new()
        {
            Reference = reference,
            Commit = session.Listing.Commit,
            Files = session.Listing.Files,
            Config = config,
            Quantization = quantization,
            Tensors = weights.Tensors,
            Gguf = weights.Gguf,
            GgufChoices = weights.Choices,
            GgufChosen = weights.Chosen,
            FromCache = session.IsOffline,
            Notes = [.. notes, .. weights.Notes],
        };
    }

    /// <summary>Reads a whole small file, such as <c>tokenizer_config.json</c>, through the shared cache; null when the repository has none.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public async Task<byte[]?> ReadFileAsync(HubReference reference, string file, long limit, CancellationToken cancellation = default)
    {
        if (!HubListing.IsSafePath(file))
            throw new ArgumentException($"\"{file}\" is no path inside a repository", nameof(file));
        var session = await OpenSessionAsync(reference, cancellation).ConfigureAwait(false);
        return await session.ReadFileAsync(file, limit, cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        if (http.IsValueCreated)
            http.Value.Dispose();
    }

    private Task<HubSession> OpenSessionAsync(HubReference reference, CancellationToken cancellation) =>
        HubSession.OpenAsync(settings, () => http.Value, reference, cancellation);

    private static async Task<QuantizationConfig?> ReadQuantizationAsync(HubSession session, CancellationToken cancellation)
    {
        foreach (var file in QuantizationConfig.OwnFiles)
        {
            if (await session.ReadFileAsync(file, HubLimits.MaxConfigBytes, cancellation).ConfigureAwait(false) is { } json)
                return QuantizationConfig.Parse(session.Name(file), json);
        }
        return null;
    }
}
