using System.Net;
using Microsoft.AspNetCore.Http;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class HubFailureTests
{
    [Fact]
    public async Task A_model_that_does_not_exist_is_not_found()
    {
        await using var hub = FakeHub.Start();

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/nmae"));

        Assert.Equal(HubFailure.RepositoryNotFound, failure.Kind);
        Assert.Equal("there is no model org/nmae on 127.0.0.1, or it is private", failure.Message);
        Assert.Equal("Check the spelling; for a private model set HF_TOKEN.", failure.Hint);
        Assert.Empty(hub.Pauses);
    }

    [Fact]
    public async Task A_private_model_that_the_token_may_not_see_names_where_the_token_is_from()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config)).IsPrivate = true;

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name", hub.Settings with { Token = "hf_secret", TokenSource = "HF_TOKEN" }));

        Assert.Equal(HubFailure.RepositoryNotFound, failure.Kind);
        Assert.Equal("there is no model org/name on 127.0.0.1 that the token from HF_TOKEN may see", failure.Message);
        Assert.DoesNotContain("hf_secret", failure.ToString() + failure.Hint);
    }

    [Fact]
    public async Task A_missing_revision_is_named()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name@v2"));

        Assert.Equal((HubFailure.RevisionNotFound, "org/name has no revision \"v2\""), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData(null, "org/name is gated: its files are given only to people who accepted its terms", "Accept them at {0}/org/name, then set HF_TOKEN to a token of that account ({0}/settings/tokens).")]
    [InlineData("hf_other", "org/name is gated, and the account of the token from HF_TOKEN has no access yet", "Ask for it, or accept the terms, at {0}/org/name.")]
    public async Task A_gated_model_says_where_to_accept_its_terms(string? token, string message, string hint)
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config)).IsGated = true;

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name", hub.Settings with { Token = token, TokenSource = token is null ? null : "HF_TOKEN" }));

        Assert.Equal(HubFailure.Gated, failure.Kind);
        Assert.Equal(message, failure.Message);
        Assert.Equal(string.Format(System.Globalization.CultureInfo.InvariantCulture, hint, hub.Address), failure.Hint);
    }

    [Theory]
    [InlineData(401, null, "Invalid credentials in Authorization header", HubFailure.Unauthorized, "127.0.0.1 does not accept the token from HF_TOKEN")]
    [InlineData(401, null, "Invalid username or password.", HubFailure.Unauthorized, "127.0.0.1 does not accept the token from HF_TOKEN")]
    [InlineData(401, null, null, HubFailure.RepositoryNotFound, "there is no model org/name on 127.0.0.1 that the token from HF_TOKEN may see")]
    [InlineData(403, null, "Fine-grained tokens need more", HubFailure.Unauthorized, "127.0.0.1 forbids org/name: Fine-grained tokens need more")]
    [InlineData(403, null, "Access to this resource is disabled.", HubFailure.Unauthorized, "the hub has disabled access to org/name")]
    [InlineData(418, null, null, HubFailure.Unavailable, "org/name: 127.0.0.1 answered 418 (I'm a teapot)")]
    public async Task Refusals_are_told_apart(int status, string? code, string? message, HubFailure kind, string expected)
    {
        await using var hub = FakeHub.Start();
        hub.Interfere = context =>
        {
            context.Response.StatusCode = status;
            if (code is not null)
                context.Response.Headers["X-Error-Code"] = code;
            if (message is not null)
                context.Response.Headers["X-Error-Message"] = message;
            return Task.FromResult(true);
        };

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name", hub.Settings with { Token = "hf_x", TokenSource = "HF_TOKEN" }));

        Assert.Equal((kind, expected), (failure.Kind, failure.Message));
        Assert.Single(hub.Requests);
    }

    [Fact]
    public async Task A_busy_hub_is_asked_again_when_it_says()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        FailTimes(hub, 1, 429, context => context.Response.Headers.RetryAfter = "7");

        Assert.NotNull((await hub.OpenAsync("org/name")).Config);

        Assert.Equal([TimeSpan.FromSeconds(7)], hub.Pauses);
        Assert.Equal(["org/name: the server answered 429 (Too Many Requests); trying again in 7 s (2 of 5)"], hub.Talk);
    }

    [Fact]
    public async Task The_hubs_own_rate_limit_header_is_understood()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        FailTimes(hub, 1, 429, context => context.Response.Headers["ratelimit"] = "\"api\";r=0;t=11");

        await hub.OpenAsync("org/name");

        Assert.Equal([TimeSpan.FromSeconds(11)], hub.Pauses);
    }

    [Fact]
    public async Task A_pause_that_nobody_waits_for_becomes_a_message()
    {
        await using var hub = FakeHub.Start();
        FailTimes(hub, 100, 429, context => context.Response.Headers.RetryAfter = "3600");

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name"));

        Assert.Equal(HubFailure.Unavailable, failure.Kind);
        Assert.Equal("org/name: the server answered 429 (Too Many Requests) and asks to wait 3600 s", failure.Message);
        Assert.Empty(hub.Pauses);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(408)]
    public async Task A_broken_hub_is_asked_five_times_with_growing_pauses(int status)
    {
        await using var hub = FakeHub.Start();
        FailTimes(hub, 100, status);

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name"));

        Assert.Equal(HubFailure.Unavailable, failure.Kind);
        Assert.Contains($"answered {status}", failure.Message);
        Assert.Contains("after 5 tries", failure.Message);
        Assert.Equal(5, hub.Requests.Count);
        Assert.Equal(4, hub.Pauses.Count);
        Assert.All(hub.Pauses.Zip([0.5, 1.0, 2.0, 4.0]), pair => Assert.InRange(pair.First.TotalSeconds, 0.5 * pair.Second, 1.5 * pair.Second));
    }

    [Fact]
    public async Task A_hub_that_recovers_is_not_held_against_it()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config), ("model.safetensors", Samples.Safetensors(("a", 1))));
        FailTimes(hub, 2, 502);

        var model = await hub.OpenAsync("org/name");

        Assert.NotNull(model.Tensors);
        Assert.Equal(2, hub.Pauses.Count);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_asked_for_again()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        var broken = false;
        hub.Interfere = async context =>
        {
            if (broken || !context.Request.Path.Value!.EndsWith("config.json", StringComparison.Ordinal))
                return false;
            broken = true;
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(Samples.Config);
            await context.Response.Body.FlushAsync();
            context.Abort();
            return true;
        };

        var model = await hub.OpenAsync("org/name");

        Assert.Equal(64, model.Config!.Integer("hidden_size"));
        Assert.Single(hub.Pauses);
    }

    [Fact]
    public async Task A_file_of_another_length_than_listed_is_refused_and_not_cached()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("config.json", Samples.Config));
        hub.Interfere = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("config.json", StringComparison.Ordinal))
                return false;
            context.Response.Headers.ETag = "\"abc\"";
            await context.Response.WriteAsync("{}");
            return true;
        };

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name"));

        Assert.Equal($"org/name/config.json: the hub lists {Samples.Config.Length} bytes and sends 2", failure.Message);
        Assert.False(Directory.Exists(Path.Combine(hub.CacheFolder, "models--org--name", "blobs")));
    }

    [Fact]
    public async Task A_header_from_another_place_than_asked_for_is_refused()
    {
        await using var hub = FakeHub.Start();
        hub.Add("org/name", ("model.safetensors", Samples.Safetensors(("a", 1))));
        hub.Interfere = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith(".safetensors", StringComparison.Ordinal))
                return false;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = "bytes 50-59/1000";
            await context.Response.WriteAsync("0123456789");
            return true;
        };

        Assert.Contains("the server sends bytes 50-59/1000", (await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name"))).Message);
    }

    [Fact]
    public async Task A_silent_hub_is_given_up()
    {
        await using var hub = FakeHub.Start();
        hub.Interfere = async context =>
        {
            // Until the client goes away.
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name", hub.Settings with { Timeout = TimeSpan.FromMilliseconds(50) }));

        Assert.Equal((HubFailure.Offline, "org/name: no answer within 0.05 s after 5 tries (127.0.0.1)"), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData(HttpRequestError.NameResolutionError, HubFailure.Offline, "cannot reach hub.example: the name cannot be resolved")]
    [InlineData(HttpRequestError.SecureConnectionError, HubFailure.Unavailable, "cannot reach hub.example securely: inner reason")]
    [InlineData(HttpRequestError.ProxyTunnelError, HubFailure.Offline, "cannot reach hub.example through the proxy: inner reason")]
    public async Task A_network_that_will_not_recover_is_told_at_once(HttpRequestError error, HubFailure kind, string message)
    {
        var tries = 0;
        using var client = ClientOf(_ =>
        {
            tries++;
            throw new HttpRequestException(error, "outer", new InvalidOperationException("inner reason"));
        });

        var failure = await Assert.ThrowsAsync<HubException>(() => client.OpenAsync(FakeHub.Parse("org/name")));

        Assert.Equal((kind, message, 1), (failure.Kind, failure.Message, tries));
        Assert.NotNull(failure.Hint);
    }

    [Fact]
    public async Task A_secure_hub_may_not_send_us_to_an_open_address()
    {
        using var client = ClientOf(_ => new(HttpStatusCode.Redirect) { Headers = { Location = new("http://hub.example/file") } });

        var failure = await Assert.ThrowsAsync<HubException>(() => client.OpenAsync(FakeHub.Parse("org/name")));

        Assert.Equal("org/name: the hub redirects to http://hub.example/file, which is not followed", failure.Message);
    }

    [Fact]
    public async Task A_compressed_answer_is_refused_because_its_length_means_nothing()
    {
        using var client = ClientOf(_ => new(HttpStatusCode.OK) { Content = new ByteArrayContent([1, 2, 3]) { Headers = { ContentEncoding = { "gzip" } } } });

        Assert.Contains("(gzip)", (await Assert.ThrowsAsync<HubException>(() => client.OpenAsync(FakeHub.Parse("org/name")))).Message);
    }

    [Fact]
    public async Task A_circle_of_redirects_ends()
    {
        await using var hub = FakeHub.Start();
        hub.Interfere = context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = "/round";
            return Task.FromResult(true);
        };

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name"));

        Assert.Equal("org/name: the hub sent us round 8 redirects without an answer", failure.Message);
        Assert.Equal(9, hub.Requests.Count);
    }

    [Fact]
    public async Task A_closed_port_is_tried_again_and_then_told()
    {
        await using var hub = FakeHub.Start();
        // Port 1 (tcpmux) is not served on any machine that runs tests.
        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name", hub.Settings with { Endpoint = new("http://127.0.0.1:1") }));

        Assert.Equal(HubFailure.Offline, failure.Kind);
        Assert.Equal(4, hub.Pauses.Count);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/file", "ftp://127.0.0.1/file")]
    [InlineData(null, "nowhere")]
    public async Task Redirects_lead_to_web_addresses_only(string? location, string expected)
    {
        await using var hub = FakeHub.Start();
        hub.Interfere = context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = location;
            return Task.FromResult(true);
        };

        var failure = await Assert.ThrowsAsync<HubException>(() => hub.OpenAsync("org/name"));

        Assert.Equal((HubFailure.Unavailable, $"org/name: the hub redirects to {expected}, which is not followed"), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"sha":"main","siblings":[]}""")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":["a"]}""")]
    public async Task Something_that_is_no_hub_is_recognized(string answer)
    {
        await using var hub = FakeHub.Start();
        hub.Interfere = async context =>
        {
            await context.Response.WriteAsync(answer);
            return true;
        };

        await Assert.ThrowsAsync<CheckpointFormatException>(() => hub.OpenAsync("org/name"));
    }

    [Fact]
    public async Task Cancelling_is_no_failure_of_the_hub()
    {
        await using var hub = FakeHub.Start();
        using var client = hub.Client();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.OpenAsync(FakeHub.Parse("org/name"), new CancellationToken(canceled: true)));
    }

    private static HubClient ClientOf(Func<HttpRequestMessage, HttpResponseMessage> answer) =>
        new(new HubSettings { Endpoint = new("https://hub.example"), Cache = "/nowhere", OwnCache = "/nowhere" }, null, null, new StubHandler(answer));

    private sealed class StubHandler(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }

    private static void FailTimes(FakeHub hub, int times, int status, Action<HttpContext>? decorate = null) => hub.Interfere = context =>
    {
        if (times-- <= 0)
            return Task.FromResult(false);
        context.Response.StatusCode = status;
        decorate?.Invoke(context);
        return Task.FromResult(true);
    };
}
