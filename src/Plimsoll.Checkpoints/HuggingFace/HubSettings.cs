using System.Globalization;
using System.Text;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Where the hub is and how to talk to it, from the environment variables that huggingface_hub reads.</summary>
public sealed record HubSettings
{
    /// <summary><c>HF_ENDPOINT</c>, without a slash at the end.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    public string? Token { get; init; }

    /// <summary>Where the token came from, for messages; the token itself is never printed.</summary>
    public string? TokenSource { get; init; }

    /// <summary>Use the cache and no network.</summary>
    public bool Offline { get; init; }

    /// <summary>The cache that all Hugging Face tools share: <c>~/.cache/huggingface/hub</c>.</summary>
    public required string Cache { get; init; }

    /// <summary>What only this product keeps: headers of files too big to download.</summary>
    public required string OwnCache { get; init; }

    /// <summary>How long the hub may take to answer, and to send the next bytes.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Link from snapshots to blobs; without, files are put into the snapshot itself.</summary>
    public bool Symlinks { get; init; } = true;

    /// <param name="variable">The environment.</param>
    /// <param name="home">The user's folder; where the environment names folders itself it is not used.</param>
    /// <exception cref="HubException">A variable makes no sense (<see cref="HubFailure.Settings"/>).</exception>
    public static HubSettings FromEnvironment(Func<string, string?> variable, string home)
    {
        var cacheHome = Folder("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache");
        var hubHome = Folder("HF_HOME") ?? Path.Combine(cacheHome, "huggingface");
        var (token, source) = FindToken(variable, Folder("HF_TOKEN_PATH") ?? Path.Combine(hubHome, "token"));
        return new()
        {
            Endpoint = ReadEndpoint(Given("HF_ENDPOINT")),
            Token = token,
            TokenSource = source,
            Offline = IsTrue(Given("HF_HUB_OFFLINE") ?? Given("TRANSFORMERS_OFFLINE")),
            Cache = Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(hubHome, "hub"),
            OwnCache = Path.Combine(cacheHome, "plimsoll", "hub"),
            Timeout = ReadTimeout(),
            Symlinks = !IsTrue(Given("HF_HUB_DISABLE_SYMLINKS")),
        };

        string? Given(string name) => variable(name) is { Length: > 0 } value ? value : null;

        string? Folder(string name) => Given(name) is { } value ? Path.GetFullPath(Expand(value, variable, home)) : null;

        // The hub's two timeouts (for asking and for downloading) differ in no way that matters for headers: the longer one counts.
        TimeSpan ReadTimeout()
        {
            var seconds = new[] { "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT" }.Select(name => Seconds(name, Given(name))).Max();
            return TimeSpan.FromSeconds(seconds ?? 10);
        }
    }

    private static int? Seconds(string name, string? value) => value is null ? null
        : int.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 86_400 ? seconds
        : throw new HubException(HubFailure.Settings, $"{name} is \"{value}\"; expected seconds from 1 to 86400", $"Unset {name}, or set it to a number such as 30.");

    private static Uri ReadEndpoint(string? value)
    {
        if (value is null)
            return new("https://huggingface.co");
        return Uri.TryCreate(value.TrimEnd('/'), UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https"
            ? endpoint
            : throw new HubException(HubFailure.Settings, $"HF_ENDPOINT is \"{value}\"; expected an address such as https://huggingface.co", "Unset HF_ENDPOINT, or set it to the address of your hub.");
    }

    private static (string? Token, string? Source) FindToken(Func<string, string?> variable, string file)
    {
        foreach (var name in (ReadOnlySpan<string>)["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
        {
            if (Clean(variable(name)) is { } token)
                return (token, name);
        }
        if (IsTrue(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN")) || !File.Exists(file))
            return default;
        try
        {
            return Clean(File.ReadAllText(file)) is { } token ? (token, file) : default;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>A token goes into an HTTP header: what cannot stand there (a stray line end, a pasted quote mark) is not one.</summary>
    private static string? Clean(string? text) => text?.Trim() is { Length: > 0 } token && token.All(letter => letter is > ' ' and < '\x7f') ? token : null;

    private static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    /// <summary><c>~</c>, <c>$NAME</c> and <c>${NAME}</c>, as Python's <c>expanduser</c> and <c>expandvars</c>; unknown names stay as they are.</summary>
    private static string Expand(string path, Func<string, string?> variable, string home)
    {
        if (path == "~" || path.StartsWith("~/", StringComparison.Ordinal) || path.StartsWith(@"~\", StringComparison.Ordinal))
            path = home + path[1..];
        var result = new StringBuilder(path.Length);
        for (var at = 0; at < path.Length; at++)
        {
            if (path[at] != '$')
            {
                result.Append(path[at]);
                continue;
            }
            var braced = at + 1 < path.Length && path[at + 1] == '{';
            var start = at + (braced ? 2 : 1);
            var end = start;
            while (end < path.Length && (char.IsAsciiLetterOrDigit(path[end]) || path[end] == '_'))
                end++;
            var known = end > start && (!braced || end < path.Length && path[end] == '}') ? variable(path[start..end]) : null;
            var length = end - at + (braced ? 1 : 0);
            result.Append(known ?? path.Substring(at, Math.Min(known is null ? 1 : length, path.Length - at)));
            at += known is null ? 0 : length - 1;
        }
        return result.ToString();
    }
}
