// Fits catalog/speed.json: dotnet run -c Release --project tools/FitSpeed -- throughput_cases.jsonl catalog/speed.json
//
// Errors and bounds come from two folds: a model (and GPU) is predicted by constants that were fitted without any of its rows.
// The constants that are written are then fitted on all rows.
using System.Globalization;
using System.Text.Json;
using Plimsoll.Planning.Accuracy;
using Plimsoll.Planning.Speed;

if (args.Length is < 1 or > 2)
{
    Console.Error.WriteLine("usage: FitSpeed CASES.jsonl [OUT.json]");
    return 2;
}

var rows = Rows.Read(args[0]);
var fitted = new List<SpeedProfile>();
var folds = new List<SpeedProfile>[] { [], [] };
var foldOf = Folds.Assign(rows);
foreach (var candidate in Profiles.All)
{
    var own = rows.Where(row => Profiles.Belongs(row, candidate.Template, Profiles.All.Select(pair => pair.Template))).ToList();
    var named = candidate.Template with
    {
        Architectures = [.. own.Select(row => row.Input.Gpu.Architecture!).Distinct().Order(StringComparer.Ordinal)],
        Measured = [.. own.SelectMany(row => SpeedModel.KindsOf(row.Input)).Distinct().Order(StringComparer.Ordinal)],
    };
    var parameters = candidate.From(candidate.StartsFrom is { } sibling ? fitted[sibling] : null);
    SpeedProfile FitTo(List<Row> some) => named with { Values = ProfileFit.Fit(named, parameters, some) };
    // Fold 0 is predicted from the rows of fold 1, and the reverse.
    var crossed = Enumerable.Range(0, 2).Select(fold => FitTo([.. own.Where(row => foldOf[row] != fold)])).ToArray();
    var full = FitTo(own);
    foreach (var profile in crossed.Append(full))
        Spreads.Add((Dictionary<string, double>)profile.Values, own, row => row.LogError(Model(crossed[foldOf[row]])));
    fitted.Add(full);
    for (var fold = 0; fold < 2; fold++)
        folds[fold].Add(crossed[fold]);
}

Console.WriteLine("Each case predicted without its model and GPU:");
Report.Print(rows, row => Model([.. folds[foldOf[row]]]), verbose: Environment.GetEnvironmentVariable("FIT_VERBOSE") == "1");
Console.WriteLine("With the constants fitted on all cases:");
Report.Print(rows, _ => Model([.. fitted]), verbose: false);
if (args.Length == 2)
    ProfileFile.Write(args[1], fitted);
return 0;

static SpeedModel Model(params SpeedProfile[] profiles) => new(new(1, "", [.. profiles]));

internal static class Folds
{
    /// <summary>Blocks alternate in order of appearance within their profile.</summary>
    public static Dictionary<Row, int> Assign(List<Row> rows)
    {
        var folds = new Dictionary<Row, int>();
        foreach (var group in rows.GroupBy(row => (row.Input.Engine, row.Input.EngineVersion, row.Input.Gpu.Vendor)))
        {
            var blocks = new Dictionary<string, int>();
            foreach (var row in group)
            {
                if (!blocks.TryGetValue(row.Block, out var fold))
                    blocks[row.Block] = fold = blocks.Count % 2;
                folds[row] = fold;
            }
        }
        return folds;
    }
}

internal static class Rows
{
    public static List<Row> Read(string path)
    {
        var cases = ThroughputCases.Default;
        var rows = new List<Row>();
        foreach (var line in File.ReadLines(path).Where(line => line.Length > 0))
        {
            var row = ThroughputCase.Read(line);
            var (setting, problem) = cases.Interpret(row);
            if (setting is null || row.Value is not { } measured)
            {
                if (!row.OutOfMemory)
                    Console.Error.WriteLine($"{row.Id}: {problem ?? "no speed"}");
                continue;
            }
            var (input, missing) = cases.ToInput(setting);
            if (input is null)
            {
                Console.Error.WriteLine($"{row.Id}: {missing}");
                continue;
            }
            var group = $"{setting.Engine} {setting.EngineVersion} {(setting.Generated == 0 ? "prefill" : setting.PromptTokens == 0 ? "decode" : "request")}";
            // The only mixture of experts of its profile is split by case: without any of it, nothing of it can be known.
            var alone = setting.Model == "Qwen2-57B-A14B-Instruct";
            var block = $"{setting.Model} {(setting.Engine == "llama.cpp" ? setting.Gpus : "")} {(alone ? row.Id : "")}";
            rows.Add(new(row.Id, group, input, setting.Generated, setting.CountsPrompt, measured, block));
        }
        return rows;
    }
}

internal static class Spreads
{
    /// <summary>The bounds hold 91 % of the predictions that did not know the case, in each group.</summary>
    public static void Add(Dictionary<string, double> values, List<Row> rows, Func<Row, double> logError)
    {
        foreach (var (name, isPrefill) in (ReadOnlySpan<(string, bool)>)[("decode_spread", false), ("prefill_spread", true)])
        {
            var quantile = rows.Where(row => row.Generated == 0 == isPrefill).GroupBy(row => row.Group).Select(group => Quantile(group.Select(row => Math.Abs(logError(row))))).DefaultIfEmpty().Max();
            values[name] = Math.Round(Math.Clamp(quantile, isPrefill ? 0.3 : 0.1, 0.8), 2);
        }
    }

    private static double Quantile(IEnumerable<double> errors)
    {
        var ordered = errors.Order().ToList();
        return ordered[(int)Math.Ceiling(0.91 * ordered.Count) - 1];
    }
}

internal static class Report
{
    public static void Print(List<Row> rows, Func<Row, SpeedModel> model, bool verbose)
    {
        Console.WriteLine($"{"group",-34} {"n",4} {"median",7} {"p90",7} {"in bounds",9}");
        foreach (var group in rows.GroupBy(row => row.Group).Append(rows.GroupBy(_ => "all").First()))
        {
            var errors = group.Select(row => Math.Abs(row.Predict(model(row)) / row.Measured - 1)).Order().ToList();
            var inside = group.Average(row => row.Inside(model(row)) ? 1.0 : 0);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group.Key,-34} {errors.Count,4} {errors[errors.Count / 2],7:P1} {errors[(int)(0.9 * (errors.Count - 1))],7:P1} {inside,9:P0}"));
        }
        if (!verbose)
            return;
        foreach (var row in rows)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Id} {row.Group} {row.Input.Gpu.Id}x{row.Input.GpuCount} {row.Input.Precision} L{row.Input.Layers} P{row.Input.ActiveParameters / 1e9:0.0} ctx{row.Input.ContextTokens} {row.Measured} {row.Predict(model(row)):0.00} {row.Predict(model(row)) / row.Measured - 1:P0}"));
    }
}

internal static class ProfileFile
{
    public static void Write(string path, List<SpeedProfile> profiles)
    {
        using var stream = File.Create(path);
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        writer.WriteString("schema", SpeedConstants.Schema);
        writer.WriteNumber("version", 1);
        writer.WriteString("source", "fitted by tools/FitSpeed on 413 measurements of: XiongjieDai/GPU-Benchmarks-on-LLM-Inference@aa72e0e (llama.cpp, May 2024); QwenLM speed benchmark pages of Qwen2, Qwen2.5 (@f4d356c, @5c4e69c) and Qwen3 (transformers 4.38 to 4.51, vLLM 0.4.2 and 0.6.3, SGLang 0.4.6)");
        writer.WriteStartArray("profiles");
        foreach (var profile in profiles)
        {
            writer.WriteStartObject();
            writer.WriteString("engine", profile.Engine);
            if (profile.Vendor is not null)
                writer.WriteString("vendor", profile.Vendor);
            if (profile.Before is not null)
                writer.WriteString("before", profile.Before);
            writer.WriteStartArray("architectures");
            foreach (var architecture in profile.Architectures)
                writer.WriteStringValue(architecture);
            writer.WriteEndArray();
            writer.WriteStartArray("measured");
            foreach (var kind in profile.Measured)
                writer.WriteStringValue(kind);
            writer.WriteEndArray();
            writer.WriteStartObject("values");
            foreach (var (name, value) in profile.Values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                writer.WriteNumber(name, value);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        stream.WriteByte((byte)'\n');
    }
}
