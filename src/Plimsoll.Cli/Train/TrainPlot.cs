using System.Globalization;
using System.Security;
using System.Text;

namespace Plimsoll.Cli.Train;

/// <summary>The loss over the steps as SVG: every step faint, their running mean over it, validations as dots.</summary>
internal static class TrainPlot
{
    private const double Width = 760, Height = 420, Left = 70, Right = 30, Top = 48, Bottom = 56;

    /// <summary>Weight of the newest loss in the running mean.</summary>
    private const double Newest = 0.05;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Draw(TrainReport report)
    {
        var losses = report.Steps.Where(step => double.IsFinite(step.Loss)).ToList();
        var all = losses.Select(step => step.Loss).Concat(report.Validations.Select(validation => validation.Loss)).DefaultIfEmpty(0).ToList();
        var (low, high) = (all.Min(), Math.Max(all.Max(), all.Min() + 1e-6));
        var (first, last) = (losses.Select(step => step.Step).DefaultIfEmpty(0).First(), Math.Max(1, report.Finished.Steps));
        var svg = new StringBuilder();
        svg.AppendLine(Culture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">""");
        svg.AppendLine("""<rect width="100%" height="100%" fill="white"/>""");
        svg.AppendLine(Culture, $"""<text x="{Left}" y="26" font-size="15">Loss of {Escape(Path.GetFileName(report.Job.Model))} on {Escape(Path.GetFileName(report.Job.Data))}, nats per token</text>""");
        for (var tick = 0; tick <= 4; tick++)
        {
            var (loss, step) = (low + (high - low) * tick / 4, first + (last - first) * tick / 4.0);
            svg.AppendLine(Culture, $"""<path d="M{Left} {Y(loss):0.0}H{Width - Right}" stroke="#ddd"/><text x="{Left - 8}" y="{Y(loss) + 4:0.0}" text-anchor="end">{loss:0.000}</text>""");
            svg.AppendLine(Culture, $"""<text x="{X(step):0.0}" y="{Height - Bottom + 18}" text-anchor="middle">{step:0}</text>""");
        }
        svg.AppendLine(Culture, $"""<text x="{(Left + Width - Right) / 2}" y="{Height - 14}" text-anchor="middle">step</text>""");
        svg.AppendLine(Culture, $"""<polyline points="{Points(losses.Select(step => ((double)step.Step, step.Loss)))}" fill="none" stroke="#9bb"/>""");
        svg.AppendLine(Culture, $"""<polyline points="{Points(Means(losses.Select(step => ((double)step.Step, step.Loss))))}" fill="none" stroke="#06c" stroke-width="2"/>""");
        foreach (var validation in report.Validations)
            svg.AppendLine(Culture, $"""<circle cx="{X(validation.Step):0.0}" cy="{Y(validation.Loss):0.0}" r="4" fill="#d55e00"><title>validation after step {validation.Step}: {validation.Loss:0.0000}</title></circle>""");
        return svg.AppendLine("</svg>").ToString();

        double X(double step) => Left + (step - first) / Math.Max(1, last - first) * (Width - Left - Right);
        double Y(double loss) => Height - Bottom - (loss - low) / (high - low) * (Height - Top - Bottom);
        string Points(IEnumerable<(double Step, double Loss)> points) => string.Join(' ', points.Select(point => string.Create(Culture, $"{X(point.Step):0.0},{Y(point.Loss):0.0}")));
    }

    private static IEnumerable<(double Step, double Loss)> Means(IEnumerable<(double Step, double Loss)> points)
    {
        double? mean = null;
        foreach (var (step, loss) in points)
            yield return (step, (mean = mean is { } before ? before + Newest * (loss - before) : loss).Value);
    }

    private static string Escape(string text) => SecurityElement.Escape(PrintableText.Clean(text));
}
