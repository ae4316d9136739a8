using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Plimsoll.Cli.Plan;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning;
using Plimsoll.Planning.Gpus;
using Spectre.Console;

namespace Plimsoll.Cli.Gpus;

/// <summary><c>plimsoll gpus MODEL</c>: which GPUs hold a job, how many of each, at what price, and why the others lose.</summary>
internal static class GpusForModel
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static readonly Option<string> For = CreateFor();
    public static readonly Option<double?> Tokens = new("--tokens") { Description = "with --for training, lora or qlora: tokens of the whole run, for its price (100e6)" };
    public static readonly Option<bool> Losers = new("--all") { Description = "with MODEL: also the GPUs that do not hold it, each with the reason" };

    /// <returns>0 when some GPU holds the model, 1 when none does.</returns>
    public static int Write(ParseResult parsed, CliEnvironment environment, Terminal terminal, string model, IReadOnlyList<GpuSpec> gpus, string? sort)
    {
        if (parsed.GetValue(Tokens) is { } tokens && !(tokens >= 1 && double.IsFinite(tokens)))
            throw CliException.WrongUsage(string.Create(Culture, $"--tokens takes the number of tokens of a run, such as 100e6, not {tokens}"));
        var job = Job.Create(parsed, environment, ModelChoice.Locate(model, parsed, environment));
        var fits = gpus.Select(job.Find).ToList();
        var winners = Order(fits.Where(fit => fit.Count is not null), sort ?? "price").ToList();
        var losers = fits.Where(fit => fit.Count is null).ToList();
        var cluster = winners.Count == 0 && gpus.Count > 0 ? job.FindCluster(gpus.Where(gpu => !gpu.UnifiedMemory).DefaultIfEmpty(gpus[0]).MaxBy(gpu => gpu.UsableMemory.Bytes)!) : null;
        if (parsed.GetValue(GlobalOptions.Json))
            WriteJson(terminal.Out, job, parsed.GetValue(Tokens), winners, losers, cluster);
        else
            WriteTable(terminal, job, parsed.GetValue(Tokens), winners, losers, cluster, parsed.GetValue(Losers));
        return winners.Count > 0 ? ExitCode.Yes : ExitCode.No;
    }

    /// <summary>Prices are of all GPUs together; the other keys keep the order of the catalog list.</summary>
    private static IEnumerable<GpuFit> Order(IEnumerable<GpuFit> fits, string sort) => sort switch
    {
        "price" => fits.OrderBy(fit => fit.LaunchUsd ?? double.MaxValue).ThenBy(fit => fit.Count),
        "price-per-hour" => fits.OrderBy(fit => fit.UsdPerHour ?? double.MaxValue),
        "price-per-million" => fits.OrderBy(fit => fit.UsdPerMillionTokens ?? double.MaxValue),
        _ => fits,
    };

    private static void WriteTable(Terminal terminal, Job job, double? tokens, List<GpuFit> winners, List<GpuFit> losers, GpuFit? cluster, bool withLosers)
    {
        terminal.Rich.MarkupLineInterpolated($"[bold]{job.Model.Id}[/], {job.Description}");
        if (winners.Count > 0)
        {
            var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("GPU").NoWrap());
            foreach (var column in Columns(job, tokens))
                table.AddColumn(new TableColumn(column).RightAligned());
            foreach (var fit in winners)
                table.AddRow([Markup.Escape(fit.Gpu.Id), .. Cells(fit, tokens)]);
            terminal.Rich.Write(table);
        }
        terminal.Out.WriteLine(winners.Count == 0
            ? $"None of {losers.Count} GPUs holds it, up to 8 of a kind."
            : $"{winners.Count} GPUs hold it, {losers.Count} do not{(withLosers || losers.Count == 0 ? "" : " (--all says why)")}. A dash is a price or speed that is not known; prices are dated, 'plimsoll gpus --show GPU' has date and source.");
        if (cluster is { Count: { } count })
            terminal.Out.WriteLine(string.Create(Culture, $"The smallest cluster that would: {count}x {cluster.Gpu.Id} in {(count + 7) / 8} machines of 8, peak {new ByteSize(cluster.Plan!.Peak.Expected)} on each."));
        if (!withLosers && winners.Count > 0)
            return;
        foreach (var loser in losers)
            terminal.Out.WriteLine($"  {loser.Gpu.Id}: {loser.Reason}");
    }

    private static IEnumerable<string> Columns(Job job, double? tokens) =>
        ["needed", "peak on each", "free", job.Trains ? "tokens/s" : "decode tokens/s", "USD/h", "USD/M tokens", .. tokens is null ? Array.Empty<string>() : ["hours", "USD/run"], "launch USD"];

    private static IEnumerable<string> Cells(GpuFit fit, double? tokens) =>
    [
        fit.Count!.Value.ToString(Culture),
        new ByteSize(fit.Plan!.Peak.Expected).ToString(),
        new ByteSize(fit.HeadroomBytes!.Value).ToString(),
        fit.Speed is { } speed ? string.Create(Culture, $"{speed.Expected:N0} ({speed.Low:N0}-{speed.High:N0})") : "-",
        Price(fit.UsdPerHour),
        Price(fit.UsdPerMillionTokens),
        .. tokens is { } run ? [fit.HoursPerRun(run) is { } hours ? hours.ToString("N1", Culture) : "-", Price(fit.UsdPerRun(run))] : Array.Empty<string>(),
        Price(fit.LaunchUsd),
    ];

    private static void WriteJson(TextWriter output, Job job, double? tokens, List<GpuFit> winners, List<GpuFit> losers, GpuFit? cluster) => JsonOutput.Write(output, "plimsoll.gpus_for_model/1", json =>
    {
        json.WriteString("model", job.Model.Id);
        json.WriteString("kind", job.Kind);
        json.WriteString("job", job.Description);
        json.WriteArray("gpus", winners, winner => WriteFit(json, winner, tokens));
        json.WriteArray("losers", losers, loser => WriteFit(json, loser, tokens));
        if (cluster is { Count: not null })
        {
            json.WritePropertyName("smallest_cluster");
            WriteFit(json, cluster, tokens);
        }
    });

    private static void WriteFit(Utf8JsonWriter json, GpuFit fit, double? tokens)
    {
        json.WriteStartObject();
        json.WriteString("gpu", fit.Gpu.Id);
        json.WriteNumber("usable_bytes", fit.Gpu.UsableMemory.Bytes);
        if (fit.Plan is { } plan)
        {
            json.WriteNumber("peak_bytes", plan.Peak.Expected);
            json.WriteNumber("headroom_bytes", fit.HeadroomBytes!.Value);
        }
        if (fit.Reason is { } reason)
            json.WriteString("reason", reason);
        if (fit.Count is { } count)
        {
            json.WriteNumber("count", count);
            json.WriteNumberOrNull("tokens_per_second", fit.Speed?.Expected);
            json.WriteNumberOrNull("usd_per_hour", fit.UsdPerHour);
            json.WriteNumberOrNull("usd_per_million_tokens", fit.UsdPerMillionTokens);
            if (tokens is { } run)
            {
                json.WriteNumberOrNull("hours_per_run", fit.HoursPerRun(run));
                json.WriteNumberOrNull("usd_per_run", fit.UsdPerRun(run));
            }
            json.WriteNumberOrNull("launch_usd", fit.LaunchUsd);
        }
        json.WriteEndObject();
    }

    private static string Price(double? usd) => usd is { } price ? price.ToString(price < 100 ? "0.00" : "N0", Culture) : "-";

    private static Option<string> CreateFor()
    {
        var option = new Option<string>("--for") { Description = "with MODEL: what the memory is for", DefaultValueFactory = _ => "inference" };
        option.AcceptOnlyFromAmong("inference", "training", "lora", "qlora");
        return option;
    }

    /// <summary>The job that a GPU is sought for, inference or training.</summary>
    private sealed record Job(string Kind, ModelShape Model, string Description, Func<GpuSpec, GpuFit> Find, Func<GpuSpec, GpuFit> FindCluster)
    {
        public bool Trains => Kind != "inference";

        public static Job Create(ParseResult parsed, CliEnvironment environment, LocatedModel located)
        {
            var kind = parsed.GetValue(For)!;
            if (kind == "inference")
            {
                TrainingOptions.RefuseOutsideTraining(parsed);
                var request = PlanRequestBuilder.Build(parsed, environment, located, gpuCount: 1, deviceBytes: null);
                var description = string.Create(Culture, $"{request.Weights.Precision} ({request.Weights.Total.ToDecimalString()} of weights), {request.Context:N0} tokens x {request.Batch}, {request.Engine.Name}");
                return new(kind, request.Model, description, gpu => GpuSearch.Find(request, gpu), gpu => GpuSearch.FindCluster(request, gpu));
            }
            var training = TrainingRequestBuilder.Build(parsed, kind, located, device: null);
            var text = string.Create(Culture, $"{kind} in {training.Compute.ToString().ToLowerInvariant()}, {training.Optimizer.Name}, {training.SequenceLength:N0} tokens x {training.MicroBatch}, checkpointing {training.Checkpointing.ToString().ToLowerInvariant()}");
            return new(kind, training.Model, text, gpu => GpuSearch.Find(training, gpu), gpu => GpuSearch.FindCluster(training, gpu));
        }
    }
}
