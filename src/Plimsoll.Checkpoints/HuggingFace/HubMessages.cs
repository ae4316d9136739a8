namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>The hub's refusals as sentences with a next step. The meaning of codes: huggingface_hub, <c>hf_raise_for_status</c>.</summary>
internal static class HubMessages
{
    public static HubException Refused(HubSettings settings, HubRequest request, HttpResponseMessage response, string? commit)
    {
        var reference = request.Reference;
        var code = Header(response, "X-Error-Code");
        var said = Header(response, "X-Error-Message");
        var status = (int)response.StatusCode;
        var page = $"{settings.Endpoint.ToString().TrimEnd('/')}/{reference.Repository}";
        if (code == "GatedRepo")
        {
            return settings.Token is null
                ? new(HubFailure.Gated, $"{reference.Repository} is gated: its files are given only to people who accepted its terms", $"Accept them at {page}, then set HF_TOKEN to a token of that account ({TokensPage(settings)}).")
                : new(HubFailure.Gated, $"{reference.Repository} is gated, and the account of {Token(settings)} has no access yet", $"Ask for it, or accept the terms, at {page}.");
        }
        if (code == "RevisionNotFound")
            return new(HubFailure.RevisionNotFound, $"{reference.Repository} has no revision \"{reference.Revision}\"", $"Its branches and tags are listed at {page}/tree/main.");
        if (code == "EntryNotFound" || status == 404 && code is null && request.File is not null)
            return new(HubFailure.FileNotFound, $"{reference.Repository} has no file {request.File} at revision \"{reference.Revision}\"", $"Its files are listed at {page}/tree/{reference.Revision}.") { Commit = commit };
        if (said == "Access to this resource is disabled.")
            return new(HubFailure.Unauthorized, $"the hub has disabled access to {reference.Repository}", $"See {page}.");
        if (status == 401 && said?.StartsWith("Invalid", StringComparison.Ordinal) == true)
            return new(HubFailure.Unauthorized, $"{settings.Endpoint.Host} does not accept {Token(settings)}", $"Create a new one at {TokensPage(settings)}, or unset it: public models need none.");
        // The hub answers 401 both for what does not exist and for what an anonymous visitor may not see.
        if (code == "RepoNotFound" || status is 401 or 404)
        {
            return settings.Token is null
                ? new(HubFailure.RepositoryNotFound, $"there is no model {reference.Repository} on {settings.Endpoint.Host}, or it is private", "Check the spelling; for a private model set HF_TOKEN.")
                : new(HubFailure.RepositoryNotFound, $"there is no model {reference.Repository} on {settings.Endpoint.Host} that {Token(settings)} may see", "Check the spelling; for a private model check the token's permissions.");
        }
        if (status == 403)
            return new(HubFailure.Unauthorized, $"{settings.Endpoint.Host} forbids {request.Name}{(said is null ? "" : $": {said}")}", settings.Token is null ? "Set HF_TOKEN." : $"Check the permissions of {Token(settings)} at {TokensPage(settings)}.");
        return new(HubFailure.Unavailable, $"{request.Name}: {settings.Endpoint.Host} answered {status} ({response.ReasonPhrase}){(said is null ? "" : $": {said}")}", "Check HF_ENDPOINT, or try again later.");
    }

    public static HubException Unreachable(HubSettings settings, HttpRequestException failure) => failure.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError =>
            new(HubFailure.Offline, $"cannot reach {settings.Endpoint.Host}: the name cannot be resolved", "Check the network and HF_ENDPOINT; models of the catalog need no network.", failure),
        HttpRequestError.SecureConnectionError =>
            new(HubFailure.Unavailable, $"cannot reach {settings.Endpoint.Host} securely: {Innermost(failure).Message}", "Check the machine's clock and certificates; a company proxy may need its own (SSL_CERT_FILE).", failure),
        _ => new(HubFailure.Offline, $"cannot reach {settings.Endpoint.Host} through the proxy: {Innermost(failure).Message}", "Check HTTPS_PROXY and NO_PROXY.", failure),
    };

    public static HubException GivenUp(HubSettings settings, HubRequest request, Outage outage, int attempts)
    {
        var tries = attempts == 1 ? "" : $" after {attempts} tries";
        return outage.RetryAfter is { TotalSeconds: > 0 } wait
            ? new(outage.Kind, $"{request.Name}: {outage.Reason}{tries} and asks to wait {wait.TotalSeconds:0} s", settings.Token is null ? "Try again then; with HF_TOKEN set the limits are higher." : "Try again then.", outage.Cause)
            : new(outage.Kind, $"{request.Name}: {outage.Reason}{tries} ({settings.Endpoint.Host})", "Check the network and HF_ENDPOINT, or try again later.", outage.Cause);
    }

    public static HubException NotCached(HubSettings settings, HubReference reference) => new(
        HubFailure.Offline, $"{reference.Repository} at revision \"{reference.Revision}\" is not in the cache {settings.Cache}, and the network is not to be used",
        "Run once without --offline (and HF_HUB_OFFLINE), or use a model of the catalog.");

    private static string Token(HubSettings settings) => settings.TokenSource is { } source ? $"the token from {source}" : "the given token";

    private static string TokensPage(HubSettings settings) => $"{settings.Endpoint.ToString().TrimEnd('/')}/settings/tokens";

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static Exception Innermost(Exception failure) => failure.InnerException is { } inner ? Innermost(inner) : failure;
}
