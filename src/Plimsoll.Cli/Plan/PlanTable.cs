using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Speed;
using Spectre.Console;

namespace Plimsoll.Cli.Plan;

/// <summary>The plan for people: where memory goes by phase, the verdict, the limits.</summary>
internal static class PlanTable
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, PlanReport report, bool explain)
    {
        WriteHeader(terminal, report);
        var shown = report.Plan.Devices.Length > 1 ? $"{report.Plan.Fullest.Name}, the fullest of {report.Plan.Devices.Length}" : report.Plan.Fullest.Name;
        WriteDevice(terminal, report.Plan.Fullest, shown);
        if (report.Plan.Devices.Length > 1)
            WriteDevices(terminal, report);
        if (report.Plan.Host is { } host)
            WriteDevice(terminal, host, host.Name);
        WriteVerdict(terminal, report);
        if (report.WhatIf is { } whatIf)
            WriteLevers(terminal, report, whatIf);
        if (explain)
            WriteFormulas(terminal, report);
    }

    private static void WriteHeader(Terminal terminal, PlanReport report)
    {
        var model = report.Model;
        var active = model.ActiveParameters == model.Parameters ? "" : string.Create(Culture, $", {Billions(model.ActiveParameters)} active");
        terminal.Rich.MarkupLineInterpolated($"[bold]{model.Id}[/] ({model.Architecture}, {Billions(model.Parameters)} parameters{active}; {model.Source})");
        if (report.Training is { } training)
            TrainingView.WriteHeader(terminal.Out, training, report.Plan);
        if (report.Inference is not { } request)
            return;
        var batch = request.Batch == 1 ? "" : string.Create(Culture, $" x {request.Batch} sequences");
        terminal.Out.WriteLine(string.Create(Culture, $"{request.Weights.Precision}, {request.Context:N0} tokens{batch}, KV cache {request.KvFormat}, {request.Engine.Name} (since {request.Engine.Since})"));
        var weights = request.Weights.Total;
        terminal.Out.WriteLine(string.Create(Culture, $"Weights: {weights.ToDecimalString()} = {weights} = {weights.Bytes:N0} B, {request.Weights.BitsPerWeight:0.###} bits per parameter"));
    }

    private static void WriteDevice(Terminal terminal, DevicePlan device, string title)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(Markup.Escape(title));
        foreach (var phase in device.Phases)
            table.AddColumn(new TableColumn(phase.Name).RightAligned());
        foreach (var name in device.Phases.SelectMany(phase => phase.Lines).Select(line => line.Name).Distinct())
        {
            table.AddRow([Markup.Escape(name), .. device.Phases.Select(phase => phase.Lines.Any(line => line.Name == name) ? Size(phase.Sum(line => line.Name == name).Expected) : "-")]);
        }
        table.AddEmptyRow();
        table.AddRow(["[bold]total[/]", .. device.Phases.Select(phase => phase == device.PeakPhase ? $"[bold]{Size(phase.Total.Expected)}[/]" : Size(phase.Total.Expected))]);
        table.AddRow(["at least", .. device.Phases.Select(phase => Size(phase.Total.Low))]);
        table.AddRow(["at most", .. device.Phases.Select(phase => Size(phase.Total.High))]);
        terminal.Rich.Write(table);
    }

    private static void WriteDevices(Terminal terminal, PlanReport report)
    {
        foreach (var device in report.Plan.Devices)
            terminal.Out.WriteLine($"  {device.Name}: peak {Size(device.Peak.Expected)} in {device.PeakPhase.Name} ({Size(device.Peak.Low)} to {Size(device.Peak.High)})");
        terminal.Out.WriteLine();
    }

    private static void WriteVerdict(Terminal terminal, PlanReport report)
    {
        var peak = report.Plan.Peak;
        if (report.Device is { } device)
        {
            var usable = report.UsableBytes!.Value;
            var verdict = report.Fits == true ? report.IsTight ? "[yellow]FITS, but tightly[/]" : "[green]FITS[/]" : "[red]DOES NOT FIT[/]";
            var room = report.HeadroomBytes!.Value;
            var balance = room >= 0 ? string.Create(Culture, $"{Size(room)} free ({(double)room / usable:P0})") : $"{Size(-room)} short";
            terminal.Rich.MarkupLine($"{verdict} on {Markup.Escape(device.ToString())}: peak {Size(peak.Expected)} of {Size(usable)} usable{(device.Count > 1 ? " each" : "")}, {balance}");
            if (report.IsTight)
                terminal.Out.WriteLine($"  The upper bound, {Size(peak.High)}, does not fit: leave room or expect an occasional failure.");
        }
        else
        {
            terminal.Out.WriteLine($"Peak {Size(peak.Expected)} in {report.Plan.Fullest.PeakPhase.Name} ({Size(peak.Low)} to {Size(peak.High)}). Add --gpu NAME for a verdict.");
        }
        if (report.Plan.Impossible is { } reason)
            terminal.Out.WriteLine($"  {reason}");
        if (report.Limits is { } limits)
            WriteLimits(terminal, report, limits);
        WriteSpeed(terminal, report);
        terminal.Out.WriteLine($"Confidence: {report.Plan.Confidence.ToString().ToLowerInvariant()}.");
        foreach (var note in report.Plan.Notes)
            terminal.Out.WriteLine($"  note: {note}");
    }

    private static void WriteLimits(Terminal terminal, PlanReport report, Planning.PlanLimits limits)
    {
        var (asked, batch) = report.Asked;
        var context = limits.MaxContext == 0
            ? "none: the weights and overhead alone fill the device"
            : string.Create(Culture, $"{limits.MaxContext:N0} tokens{(limits.ContextIsModelLimit ? " (all the model was made for)" : "")}");
        terminal.Out.WriteLine(string.Create(Culture, $"Largest context at batch {batch}: {context}"));
        terminal.Out.WriteLine(string.Create(Culture, $"Largest batch at {asked:N0} tokens: {(limits.MaxBatch == 0 ? "none" : limits.MaxBatch.ToString("N0", Culture))}"));
    }

    private static void WriteSpeed(Terminal terminal, PlanReport report)
    {
        if (report.Decode is { } decode)
            terminal.Out.WriteLine($"Decode: about {Rate(decode)}");
        if (report.Prefill is { } prefill)
            terminal.Out.WriteLine($"Prefill: about {Rate(prefill)}");
        if (report.SpeedRefusal is { } reason)
            terminal.Out.WriteLine($"No speed estimate: {reason}.");
    }

    private static void WriteLevers(Terminal terminal, PlanReport report, WhatIfResult whatIf)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("what if").AddColumn(new TableColumn("saves").RightAligned()).AddColumn(new TableColumn("peak").RightAligned());
        if (report.Device is not null)
            table.AddColumn("fits alone");
        table.AddColumn("cost");
        foreach (var effect in whatIf.Effects)
        {
            var cells = new List<string> { Markup.Escape(effect.Action), Size(effect.SavesBytes), Size(effect.PeakBytes) };
            if (effect.FitsAlone is { } fits)
                cells.Add(fits ? "yes" : "no");
            cells.Add(Markup.Escape(effect.Cost));
            table.AddRow([.. cells]);
        }
        terminal.Rich.Write(table);
        if (report.Fits == false)
        {
            terminal.Out.WriteLine(whatIf.CombinationFits
                ? $"Least painful way to fit: {string.Join(" and ", whatIf.Combination)} (peak {Size(whatIf.CombinationPeakBytes)})."
                : "No combination of these fits.");
            if (report.OtherGpu is { } other)
                terminal.Out.WriteLine($"Or another GPU: {other.Gpu.Name} is the cheapest of the catalog that holds it as it is ({Size(other.Plan!.Peak.Expected)} of {other.Gpu.UsableMemory}{(other.LaunchUsd is { } price ? string.Create(Culture, $", launched at {price:N0} USD") : "")}).");
        }
    }

    private static void WriteFormulas(Terminal terminal, PlanReport report)
    {
        terminal.Out.WriteLine();
        var devices = report.Plan.Host is { } host ? new[] { report.Plan.Fullest, host } : [report.Plan.Fullest];
        foreach (var device in devices)
        {
            foreach (var phase in device.Phases)
            {
                terminal.Rich.MarkupLineInterpolated($"[bold]{device.Name}, {phase.Name}[/]: {Size(phase.Total.Expected)} = {phase.Total.Expected.ToString("N0", Culture)} B");
                foreach (var line in phase.Lines)
                {
                    terminal.Out.WriteLine(string.Create(Culture, $"  {line.Name}: {line.Bytes.Expected:N0} B = {line.Formula}"));
                    terminal.Out.WriteLine($"    source: {line.Source}");
                }
            }
        }
    }

    private static string Size(long bytes) => new ByteSize(bytes).ToString();

    private static string Rate(SpeedEstimate speed) => string.Create(Culture, $"{speed.Expected:N0} tokens/s ({speed.Low:N0} to {speed.High:N0})");

    private static string Billions(long parameters) => parameters >= 1_000_000_000
        ? string.Create(Culture, $"{parameters / 1e9:0.00} B")
        : string.Create(Culture, $"{parameters / 1e6:0.0} M");
}
