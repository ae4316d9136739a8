using System.Text.Json;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Speed;
using Plimsoll.Planning.Tests.Inference;

namespace Plimsoll.Planning.Tests.Speed;

public class CpuSpeedTests
{
    private static readonly CpuProfile Profile = new(2, 30e9, [new("BF16", 20e9, 200e9), new("Q4_K", 15e9, 300e9), new("Q6_K", 10e9, 300e9), new("FP32", 20e9, 100e9)]);

    private static InferenceRequest Request(string precision, long context = 1024) =>
        Requests.For("llama-3.1-8b", precision, "plimsoll") with { Context = context };

    [Fact]
    public void Decoding_reads_every_weight_at_the_rate_of_its_format()
    {
        // 8.03 B parameters of two bytes, less the embedding that is only looked up, at 20 GB/s.
        var request = Request("bf16", context: 1);
        var looked = 2.0 * 128256 * 4096;
        Assert.Equal(20e9 / (request.Weights.Total.Bytes - looked), CpuSpeed.Decode(request, Profile).Expected, 0.01);
    }

    [Fact]
    public void A_longer_context_is_never_faster() => Assert.True(CpuSpeed.Decode(Request("q4_k_m", 65536), Profile).Expected < CpuSpeed.Decode(Request("q4_k_m"), Profile).Expected);

    [Fact]
    public void Bounds_enclose_what_is_expected()
    {
        foreach (var speed in new[] { CpuSpeed.Decode(Request("q4_k_m"), Profile), CpuSpeed.Prefill(Request("q4_k_m"), Profile) })
            Assert.True(speed.Low < speed.Expected && speed.Expected < speed.High);
    }

    [Fact]
    public void A_profile_reads_what_it_has_written()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            Profile.Write(json);
            json.WriteEndObject();
        }
        stream.Position = 0;
        var read = CpuProfile.Read(stream);
        Assert.Equal(Profile.Rates, read.Rates);
        Assert.Equal(Profile.ReadBytesPerSecond, read.ReadBytesPerSecond);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"threads\":2,\"read_bytes_per_second\":1e9,\"rates\":[]}")]
    [InlineData("{\"threads\":2,\"read_bytes_per_second\":-1,\"rates\":[{\"format\":\"BF16\",\"decode_bytes_per_second\":1,\"prefill_operations_per_second\":1}]}")]
    [InlineData("not json")]
    public void What_is_no_profile_is_refused(string text) =>
        Assert.ThrowsAny<JsonException>(() => CpuProfile.Read(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text))));
}
