using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class HubSettingsTests
{
    [Theory]
    [InlineData("", "/home/me/.cache/huggingface/hub", "/home/me/.cache/plimsoll/hub")]
    [InlineData("XDG_CACHE_HOME=/xdg", "/xdg/huggingface/hub", "/xdg/plimsoll/hub")]
    [InlineData("HF_HOME=/hf", "/hf/hub", "/home/me/.cache/plimsoll/hub")]
    [InlineData("HF_HOME=/hf;HF_HUB_CACHE=/cache", "/cache", "/home/me/.cache/plimsoll/hub")]
    [InlineData("HF_HOME=/hf;HUGGINGFACE_HUB_CACHE=/old", "/old", "/home/me/.cache/plimsoll/hub")]
    [InlineData("HUGGINGFACE_HUB_CACHE=/old;HF_HUB_CACHE=/new", "/new", "/home/me/.cache/plimsoll/hub")]
    [InlineData("HF_HOME=~/models", "/home/me/models/hub", "/home/me/.cache/plimsoll/hub")]
    [InlineData("SCRATCH=/scratch;HF_HOME=$SCRATCH/a/${SCRATCH}$NONE", "/scratch/a/scratch$NONE/hub", "/home/me/.cache/plimsoll/hub")]
    [InlineData("HF_HOME=", "/home/me/.cache/huggingface/hub", "/home/me/.cache/plimsoll/hub")]
    public void Folders_are_found_as_huggingface_hub_finds_them(string variables, string cache, string own)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the paths are those of Unix");
        var settings = Read(variables);

        Assert.Equal(cache, settings.Cache);
        Assert.Equal(own, settings.OwnCache);
    }

    [Fact]
    public void The_token_comes_from_the_environment_before_the_file()
    {
        using var folder = new TemporaryFolder();
        folder.Write("token", "hf_file\n");

        Assert.Equal(("hf_env", "HF_TOKEN"), Token($"HF_HOME={folder.Path};HF_TOKEN=hf_env;HUGGING_FACE_HUB_TOKEN=hf_old"));
        Assert.Equal(("hf_old", "HUGGING_FACE_HUB_TOKEN"), Token($"HF_HOME={folder.Path};HUGGING_FACE_HUB_TOKEN= hf_old "));
        Assert.Equal(("hf_file", folder.File("token")), Token($"HF_HOME={folder.Path}"));
        Assert.Equal((null, null), Token($"HF_HOME={folder.Path};HF_HUB_DISABLE_IMPLICIT_TOKEN=1"));
        Assert.Equal((null, null), Token($"HF_HOME={folder.Path}/none"));
    }

    [Fact]
    public void The_token_file_may_lie_elsewhere()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("elsewhere", "hf_there");

        Assert.Equal(("hf_there", path), Token($"HF_TOKEN_PATH={path}"));
    }

    [Fact]
    public void What_cannot_stand_in_a_header_is_no_token() => Assert.Equal((null, null), Token("HF_TOKEN=hf_a\nEvil: yes;HF_HOME=/none"));

    [Theory]
    [InlineData("HF_HUB_OFFLINE=1", true)]
    [InlineData("HF_HUB_OFFLINE=yes", true)]
    [InlineData("TRANSFORMERS_OFFLINE=ON", true)]
    [InlineData("HF_HUB_OFFLINE=0;TRANSFORMERS_OFFLINE=1", false)]
    [InlineData("", false)]
    public void Offline_is_a_switch(string variables, bool expected) => Assert.Equal(expected, Read(variables).Offline);

    [Theory]
    [InlineData("", 10)]
    [InlineData("HF_HUB_DOWNLOAD_TIMEOUT=30", 30)]
    [InlineData("HF_HUB_ETAG_TIMEOUT=500", 500)]
    [InlineData("HF_HUB_DOWNLOAD_TIMEOUT=3;HF_HUB_ETAG_TIMEOUT=2", 3)]
    public void Timeouts_are_seconds(string variables, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), Read(variables).Timeout);

    [Fact]
    public void A_mirror_replaces_the_hub() => Assert.Equal("https://mirror.example/hf", Read("HF_ENDPOINT=https://mirror.example/hf/").Endpoint.ToString());

    [Theory]
    [InlineData("HF_ENDPOINT=mirror.example", "HF_ENDPOINT is \"mirror.example\"; expected an address such as https://huggingface.co")]
    [InlineData("HF_ENDPOINT=ftp://mirror.example", "HF_ENDPOINT is \"ftp://mirror.example\"; expected an address such as https://huggingface.co")]
    [InlineData("HF_HUB_DOWNLOAD_TIMEOUT=soon", "HF_HUB_DOWNLOAD_TIMEOUT is \"soon\"; expected seconds from 1 to 86400")]
    [InlineData("HF_HUB_ETAG_TIMEOUT=0", "HF_HUB_ETAG_TIMEOUT is \"0\"; expected seconds from 1 to 86400")]
    public void Senseless_settings_are_refused(string variables, string message)
    {
        var failure = Assert.Throws<HubException>(() => Read(variables));

        Assert.Equal((HubFailure.Settings, message), (failure.Kind, failure.Message));
    }

    private static (string?, string?) Token(string variables) => Read(variables) is var settings ? (settings.Token, settings.TokenSource) : default;

    private static HubSettings Read(string variables)
    {
        var values = variables.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(entry => entry.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return HubSettings.FromEnvironment(name => values.GetValueOrDefault(name), "/home/me");
    }
}
