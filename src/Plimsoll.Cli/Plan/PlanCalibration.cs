using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Planning.Calibration;
using Plimsoll.Planning.Engines;
using Spectre.Console;

namespace Plimsoll.Cli.Plan;

/// <summary><c>plan --calibrate LOG</c>: the plan beside the log of the run, the constants that it corrects, and the run as a case.</summary>
internal static class PlanCalibration
{
    private static readonly Option<string?> Calibrate = new("--calibrate") { Description = "a log of llama.cpp, vLLM or PyTorch: compare it with the plan, term by term" };
    private static readonly Option<bool> Save = new("--save-profile") { Description = "with --calibrate: keep the corrected engine constants for later plans" };
    private static readonly Option<string?> Export = new("--export-case") { Description = "with --calibrate: append the run to a file of measured cases" };

    public static IEnumerable<Option> Options => [Calibrate, Save, Export];

    /// <summary>The log that was named; null without <c>--calibrate</c>.</summary>
    public static EngineLog? ReadLog(ParseResult parsed)
    {
        if (parsed.GetValue(Calibrate) is not { } path)
        {
            if (new Option[] { Save, Export }.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } alone)
                throw CliException.WrongUsage($"{alone.Name} belongs to --calibrate, which is not given", "add --calibrate LOG");
            return null;
        }
        if (!File.Exists(path))
            throw CliException.BadInput($"--calibrate {path}: no such file");
        try
        {
            return EngineLog.Read(path);
        }
        catch (EngineLogException failure)
        {
            throw CliException.BadInput(failure.Message);
        }
    }

    /// <summary>The engine that wrote the log, for plans that name none.</summary>
    public static string? Engine(EngineLog? log) => log is null ? null : CalibrationReport.Engine(log.Kind);

    /// <summary>Compares, saves and exports; null without a log.</summary>
    public static CalibrationReport? Create(ParseResult parsed, CliEnvironment environment, PlanReport report, EngineLog? log)
    {
        if (log is null)
            return null;
        var today = DateOnly.FromDateTime(environment.Time.GetUtcNow().UtcDateTime);
        try
        {
            var calibration = report.Training is { } training
                ? CalibrationReport.Create(training, report.Plan, log)
                : CalibrationReport.Create(report.Inference!, report.Plan, log, today);
            if (parsed.GetValue(Export) is { } file)
                Append(file, report.Inference ?? throw CliException.WrongUsage("--export-case writes inference runs; this plan is for training", "leave --export-case out"), log, today);
            if (parsed.GetValue(Save) && calibration.Corrections.Length > 0)
                SaveProfile(calibration, environment);
            return calibration;
        }
        catch (EngineLogException failure)
        {
            throw CliException.BadInput(failure.Message);
        }
    }

    public static void Write(Terminal terminal, ParseResult parsed, CliEnvironment environment, CalibrationReport? calibration)
    {
        if (calibration is null)
            return;
        terminal.Out.WriteLine();
        terminal.Rich.MarkupLineInterpolated($"[bold]Beside {Path.GetFileName(calibration.Log.Path)}[/]");
        var table = new Table().Border(TableBorder.Simple).AddColumn("term");
        foreach (var heading in new[] { "planned", "at least", "at most", "logged", "plan - log" })
            table.AddColumn(new TableColumn(heading).RightAligned());
        table.AddColumn("verdict");
        foreach (var term in calibration.Terms)
        {
            var error = term.Error is { } relative && term.Verdict != CalibrationVerdict.Exact ? relative.ToString(" (+0.0%); (-0.0%)", CultureInfo.InvariantCulture) : "";
            table.AddRow(Markup.Escape(term.Name), Size(term.Planned.Expected), Size(term.Planned.Low), Size(term.Planned.High), Size(term.Logged), Size(term.Difference) + error, Verdict(term.Verdict));
        }
        terminal.Rich.Write(table);
        foreach (var finding in calibration.Findings)
            terminal.Out.WriteLine($"  finding: {finding}");
        foreach (var correction in calibration.Corrections)
            terminal.Out.WriteLine($"  constant {correction.Constant} of {correction.Engine} (since {correction.Since}): {Size(correction.Bytes.Expected)}, {Size(correction.Bytes.Low)} to {Size(correction.Bytes.High)}");
        if (calibration.Corrections.Length > 0)
            terminal.Out.WriteLine(parsed.GetValue(Save) ? $"  Kept in {UserCatalogs.EnginesFile(environment)}; later plans use it." : "  Add --save-profile to keep this for later plans.");
    }

    public static void WriteJson(Utf8JsonWriter json, CalibrationReport? calibration)
    {
        if (calibration is null)
            return;
        json.WriteStartObject("calibration");
        json.WriteString("log", calibration.Log.Path);
        json.WriteString("log_kind", CalibrationReport.Engine(calibration.Log.Kind) is "transformers" ? "pytorch" : CalibrationReport.Engine(calibration.Log.Kind));
        json.WriteArray("terms", calibration.Terms, term =>
        {
            json.WriteStartObject();
            json.WriteString("name", term.Name);
            json.WriteNumber("bytes", term.Planned.Expected);
            json.WriteNumber("low_bytes", term.Planned.Low);
            json.WriteNumber("high_bytes", term.Planned.High);
            json.WriteNumber("logged_bytes", term.Logged);
            json.WriteNumber("difference_bytes", term.Difference);
            json.WriteString("verdict", Verdict(term.Verdict).Replace(' ', '_'));
            json.WriteEndObject();
        });
        json.WriteStrings("findings", calibration.Findings);
        json.WriteArray("corrections", calibration.Corrections, correction =>
        {
            json.WriteStartObject();
            json.WriteString("engine", correction.Engine);
            json.WriteString("engine_since", correction.Since);
            json.WriteString("constant", correction.Constant);
            json.WriteNumber("bytes", correction.Bytes.Expected);
            json.WriteNumber("low_bytes", correction.Bytes.Low);
            json.WriteNumber("high_bytes", correction.Bytes.High);
            json.WriteString("source", correction.Source);
            json.WriteEndObject();
        });
        json.WriteEndObject();
    }

    private static void SaveProfile(CalibrationReport calibration, CliEnvironment environment)
    {
        var path = UserCatalogs.EnginesFile(environment);
        var older = Array.Empty<EngineCorrection>().AsEnumerable();
        if (File.Exists(path))
        {
            using var stream = File.OpenRead(path);
            older = EngineCorrections.Read(stream, path);
        }
        EngineCorrections.Save(path, EngineCorrections.Merge(older, calibration.Corrections));
    }

    /// <summary>Adds one line to the file, numbered after those that are there.</summary>
    private static void Append(string file, InferenceRequest request, EngineLog log, DateOnly today)
    {
        var text = File.Exists(file) ? File.ReadAllText(file) : "";
        var number = text.Split('\n').Count(line => !string.IsNullOrWhiteSpace(line)) + 1;
        var line = CaseExport.Line(request, log, string.Create(CultureInfo.InvariantCulture, $"own-{request.Engine.Id}-{number:000}"), today);
        File.AppendAllText(file, $"{(text.Length > 0 && !text.EndsWith('\n') ? "\n" : "")}{line}\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    private static string Size(long bytes) => new ByteSize(bytes).ToString();

    private static string Verdict(CalibrationVerdict verdict) => verdict switch
    {
        CalibrationVerdict.Exact => "exact",
        CalibrationVerdict.WithinBounds => "within bounds",
        _ => "outside",
    };
}
