using System.Text.Json;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Launch;

namespace Plimsoll.Cli.Fit;

/// <summary>Schema <c>plimsoll.fit/1</c>.</summary>
internal static class FitJson
{
    public static void Write(TextWriter output, FitReport report) => JsonOutput.Write(output, "plimsoll.fit/1", json =>
    {
        json.WriteString("model", report.Asked.Model.Id);
        json.WriteString("engine", report.Asked.Engine.Id);
        json.WriteString("device", report.Device.ToString());
        json.WriteNumber("usable_bytes", report.Device.Gpu.UsableMemory.Bytes);
        json.WriteArray("candidates", report.Result.Candidates.Concat(report.Measured?.Candidates.Where(each => each.IsCalibrated).Select(each => each.Candidate) ?? []), candidate => WriteCandidate(json, candidate, report.Measured));
        // Measuring decides where it was done; planning elsewhere.
        if ((report.Measured is { } run ? run.Chosen?.Candidate : report.Result.Chosen) is { } chosen)
        {
            json.WriteString("chosen", chosen.Precision);
            json.WritePropertyName("settings");
            WriteCandidate(json, chosen, report.Measured);
        }
        else
        {
            json.WriteNull("chosen");
        }
        if (report.Result.OnHost is { } onHost)
            json.WriteString("on_host", onHost);
        if (report.Measured is { } measured)
        {
            json.WriteNumber("base_perplexity", measured.Base.Perplexity.Value);
            json.WriteNumber("scored_tokens", measured.Tokens);
            json.WriteString("output", measured.Output);
        }
        json.WriteArray("launch", report.Launch is { } launch ? [launch] : Array.Empty<LaunchConfiguration>(), configuration =>
        {
            json.WriteStartObject();
            json.WriteString("engine", configuration.Engine);
            json.WriteString("command", configuration.Command);
            json.WriteEndObject();
        });
    });

    private static void WriteCandidate(Utf8JsonWriter json, FitCandidate candidate, FitMeasurement? measured)
    {
        var request = candidate.Request;
        json.WriteStartObject();
        json.WriteString("format", candidate.Precision);
        json.WriteNumber("file_bytes", request.Weights.Total.Bytes);
        json.WriteNumber("peak_bytes", candidate.PeakBytes);
        json.WriteBoolean("fits", candidate.Fits);
        json.WriteNumber("short_bytes", candidate.ShortBytes);
        json.WriteNumberOrNull("expected_loss", candidate.Quality?.PerplexityIncrease);
        json.WriteString("kv_precision", request.KvFormat.ToString().ToLowerInvariant());
        json.WriteNumber("context", request.Context);
        json.WriteNumber("batch", request.Batch);
        if (request.LlamaCpp.GpuLayers is { } layers)
            json.WriteNumber("gpu_layers", layers);
        if (request.LlamaCpp.CpuExpertLayers > 0)
            json.WriteNumber("cpu_expert_layers", request.LlamaCpp.CpuExpertLayers);
        if (candidate.Reason is { } reason)
            json.WriteString("reason", reason);
        if (measured?.Candidates.FirstOrDefault(each => each.Candidate == candidate) is { } result)
        {
            json.WriteStartObject("measured");
            json.WriteString("method", result.IsCalibrated ? "gptq" : "rtn");
            json.WriteNumber("perplexity", result.Result.Perplexity.Value);
            json.WriteNumber("kl_divergence", result.Divergence);
            json.WriteNumber("same_top", result.Result.Divergence!.SameTop.Value);
            json.WriteNumber("bits_per_weight", result.BitsPerWeight);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
