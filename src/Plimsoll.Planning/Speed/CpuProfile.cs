using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Speed;

/// <summary>What was measured of a machine's processor: the ceiling of memory, and the rate of products per weight format.</summary>
/// <param name="Threads">Threads that computed.</param>
/// <param name="ReadBytesPerSecond">Bytes read from memory per second.</param>
public sealed record CpuProfile(int Threads, double ReadBytesPerSecond, ImmutableArray<CpuRate> Rates)
{
    /// <summary>The rates of a format; of one that was not measured, those of the slowest.</summary>
    public CpuRate RateOf(NumberFormat format)
    {
        var name = format.Name;
        return Rates.FirstOrDefault(rate => rate.Format == name) ?? Rates.MinBy(rate => rate.DecodeBytesPerSecond)!;
    }

    /// <exception cref="JsonException">The text is no such profile.</exception>
    public static CpuProfile Read(Stream stream)
    {
        using var document = JsonDocument.Parse(stream);
        var root = document.RootElement;
        try
        {
            var rates = root.GetProperty("rates").EnumerateArray()
                .Select(rate => new CpuRate(rate.GetProperty("format").GetString()!, Positive(rate, "decode_bytes_per_second"), Positive(rate, "prefill_operations_per_second")))
                .ToImmutableArray();
            return rates.IsEmpty ? throw new JsonException("no rates are in it") : new(root.GetProperty("threads").GetInt32(), Positive(root, "read_bytes_per_second"), rates);
        }
        catch (Exception failure) when (failure is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException(failure.Message, failure);
        }
    }

    /// <summary>Writes the members of the top object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteNumber("threads", Threads);
        json.WriteNumber("read_bytes_per_second", Math.Round(ReadBytesPerSecond));
        json.WriteStartArray("rates");
        foreach (var rate in Rates)
        {
            json.WriteStartObject();
            json.WriteString("format", rate.Format);
            json.WriteNumber("decode_bytes_per_second", Math.Round(rate.DecodeBytesPerSecond));
            json.WriteNumber("prefill_operations_per_second", Math.Round(rate.PrefillOperationsPerSecond));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static double Positive(JsonElement element, string name) =>
        element.GetProperty(name).GetDouble() is > 0 and var value && double.IsFinite(value) ? value : throw new JsonException($"{name} is no rate");
}

/// <summary>The rate of products with weights in one format.</summary>
public sealed record CpuRate(string Format, double DecodeBytesPerSecond, double PrefillOperationsPerSecond);
