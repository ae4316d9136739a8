using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Plimsoll.Cli.Plan;
using Plimsoll.Numerics;
using Plimsoll.Planning;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;
using Spectre.Console;

namespace Plimsoll.Cli.Gpus;

/// <summary><c>plimsoll gpus MODEL</c>: which GPUs hold a model, how many of each, and why the others lose.</summary>
internal static class GpusForModel
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <returns>0 when some GPU holds the model, 1 when none does.</returns>
    public static int Write(ParseResult parsed, CliEnvironment environment, Terminal terminal, string model, IReadOnlyList<GpuSpec> gpus, string sort, bool withLosers)
    {
        var located = ModelChoice.Locate(model, parsed, environment);
        var request = PlanRequestBuilder.Build(parsed, located, gpuCount: 1, deviceBytes: null);
        var fits = gpus.Select(gpu => GpuSearch.Find(request, gpu)).ToList();
        var winners = Order(fits.Where(fit => fit.Count is not null), sort).Select(fit => (Fit: fit, Decode: Speed(fit))).ToList();
        var losers = fits.Where(fit => fit.Count is null).ToList();
        if (parsed.GetValue(GlobalOptions.Json))
            WriteJson(terminal.Out, request, winners, losers);
        else
            WriteTable(terminal, request, winners, losers, withLosers);
        return winners.Count > 0 ? ExitCode.Yes : ExitCode.No;
    }

    /// <summary>Prices are of all GPUs together; the other keys keep the order of the catalog list.</summary>
    private static IEnumerable<GpuFit> Order(IEnumerable<GpuFit> fits, string sort) => sort switch
    {
        "price" => fits.OrderBy(fit => fit.Gpu.LaunchPriceUsd?.Value * fit.Count ?? double.MaxValue),
        "price-per-hour" => fits.OrderBy(fit => fit.Gpu.CheapestRental?.UsdPerHour * fit.Count ?? double.MaxValue),
        _ => fits,
    };

    private static SpeedEstimate? Speed(GpuFit fit) => PlanSpeed.Estimate(fit.Request, new(fit.Gpu, fit.Count!.Value)).Decode;

    private static void WriteTable(Terminal terminal, InferenceRequest request, List<(GpuFit Fit, SpeedEstimate? Decode)> winners, List<GpuFit> losers, bool withLosers)
    {
        terminal.Rich.MarkupLineInterpolated($"[bold]{request.Model.Id}[/], {request.Weights.Precision} ({request.Weights.Total.ToDecimalString()} of weights), {request.Context.ToString("N0", Culture)} tokens x {request.Batch}, {request.Engine.Name}");
        if (winners.Count > 0)
        {
            var table = new Table().Border(TableBorder.Simple).AddColumns("GPU");
            foreach (var column in new[] { "needed", "peak on each", "free", "decode tokens/s", "USD/h", "launch USD" })
                table.AddColumn(new TableColumn(column).RightAligned());
            foreach (var (fit, decode) in winners)
            {
                table.AddRow(
                    Markup.Escape(fit.Gpu.Id),
                    fit.Count!.Value.ToString(Culture),
                    new ByteSize(fit.Plan.Peak.Expected).ToString(),
                    new ByteSize(fit.HeadroomBytes).ToString(),
                    decode is null ? "-" : string.Create(Culture, $"{decode.Expected:0} ({decode.Low:0}-{decode.High:0})"),
                    Price(fit.Gpu.CheapestRental?.UsdPerHour * fit.Count),
                    Price(fit.Gpu.LaunchPriceUsd?.Value * fit.Count));
            }
            terminal.Rich.Write(table);
        }
        terminal.Out.WriteLine(winners.Count == 0
            ? $"None of {losers.Count} GPUs holds it, up to 8 of a kind."
            : $"{winners.Count} GPUs hold it, {losers.Count} do not{(withLosers || losers.Count == 0 ? "" : " (--all says why)")}. Prices are dated: 'plimsoll gpus --show GPU' has date and source.");
        if (!withLosers && winners.Count > 0)
            return;
        foreach (var loser in losers)
            terminal.Out.WriteLine($"  {loser.Gpu.Id}: {loser.Reason}");
    }

    private static void WriteJson(TextWriter output, InferenceRequest request, List<(GpuFit Fit, SpeedEstimate? Decode)> winners, List<GpuFit> losers) => JsonOutput.Write(output, "plimsoll.gpus_for_model/1", json =>
    {
        json.WriteString("model", request.Model.Id);
        json.WriteString("precision", request.Weights.Precision);
        json.WriteString("engine", request.Engine.Id);
        json.WriteNumber("context", request.Context);
        json.WriteNumber("batch", request.Batch);
        json.WriteNumber("weights_bytes", request.Weights.Total.Bytes);
        json.WriteArray("gpus", winners, winner => WriteFit(json, winner.Fit, winner.Decode));
        json.WriteArray("losers", losers, loser => WriteFit(json, loser, null));
    });

    private static void WriteFit(Utf8JsonWriter json, GpuFit fit, SpeedEstimate? decode)
    {
        json.WriteStartObject();
        json.WriteString("gpu", fit.Gpu.Id);
        if (fit.Count is { } count)
            json.WriteNumber("count", count);
        json.WriteNumber("peak_bytes", fit.Plan.Peak.Expected);
        json.WriteNumber("usable_bytes", fit.Gpu.UsableMemory.Bytes);
        json.WriteNumber("headroom_bytes", fit.HeadroomBytes);
        if (fit.Reason is { } reason)
            json.WriteString("reason", reason);
        if (decode is not null)
            json.WriteNumber("decode_tokens_per_second", Math.Round(decode.Expected, 2));
        json.WriteNumberOrNull("usd_per_hour", fit.Gpu.CheapestRental?.UsdPerHour * fit.Count);
        json.WriteNumberOrNull("launch_usd", fit.Gpu.LaunchPriceUsd?.Value * fit.Count);
        json.WriteEndObject();
    }

    private static string Price(double? usd) => usd is { } price ? price.ToString(price < 100 ? "0.00" : "N0", Culture) : "-";
}
