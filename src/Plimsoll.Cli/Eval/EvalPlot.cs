using System.Globalization;
using System.Security;
using System.Text;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Eval;

/// <summary>Size against divergence as SVG, both axes logarithmic; without a base, size against perplexity.</summary>
internal static class EvalPlot
{
    private const double Width = 760, Height = 460, Left = 80, Right = 30, Top = 48, Bottom = 60;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Draw(EvalReport report)
    {
        var isDivergence = report.Base is not null;
        var points = report.Lines
            .Select(line => (Name: EvalReport.Label(line), X: line.FileBytes / (double)ByteSize.MiB,
                Y: isDivergence ? line.Result.Divergence!.Mean.Value : line.Result.Perplexity.Value))
            .Where(point => point.X > 0 && point.Y > 0 && double.IsFinite(point.Y)).OrderBy(point => point.X).ToList();
        var (x, y) = (LogAxis.Over(points.Select(point => point.X)), LogAxis.Over(points.Select(point => point.Y)));
        var svg = new StringBuilder();
        svg.AppendLine(Culture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">""");
        svg.AppendLine("""<rect width="100%" height="100%" fill="white"/>""");
        svg.AppendLine(Culture, $"""<text x="{Left}" y="26" font-size="15">{Escape(isDivergence ? $"Divergence from {EvalReport.Label(report.Base!)}" : "Perplexity")} by size, {Escape(Path.GetFileName(report.Text))}</text>""");
        foreach (var tick in x.Ticks)
            svg.AppendLine(Culture, $"""<path d="M{X(tick):0.0} {Top}V{Height - Bottom}" stroke="#ddd"/><text x="{X(tick):0.0}" y="{Height - Bottom + 18}" text-anchor="middle">{tick:G6}</text>""");
        foreach (var tick in y.Ticks)
            svg.AppendLine(Culture, $"""<path d="M{Left} {Y(tick):0.0}H{Width - Right}" stroke="#ddd"/><text x="{Left - 8}" y="{Y(tick) + 4:0.0}" text-anchor="end">{tick:G6}</text>""");
        svg.AppendLine(Culture, $"""<text x="{(Left + Width - Right) / 2}" y="{Height - 16}" text-anchor="middle">file size, MiB</text>""");
        svg.AppendLine(Culture, $"""<text transform="translate(18 {(Top + Height - Bottom) / 2}) rotate(-90)" text-anchor="middle">{(isDivergence ? "mean KL divergence, nats" : "perplexity")}</text>""");
        if (points.Count > 1)
            svg.AppendLine(Culture, $"""<polyline points="{string.Join(' ', points.Select(point => string.Create(Culture, $"{X(point.X):0.0},{Y(point.Y):0.0}")))}" fill="none" stroke="#9bb" stroke-dasharray="4 3"/>""");
        foreach (var point in points)
        {
            var isRight = X(point.X) > Width / 2;
            svg.AppendLine(Culture, $"""<circle cx="{X(point.X):0.0}" cy="{Y(point.Y):0.0}" r="4" fill="#06c"/><text x="{X(point.X) + (isRight ? -8 : 8):0.0}" y="{Y(point.Y) - 8:0.0}" text-anchor="{(isRight ? "end" : "start")}">{Escape(point.Name)}</text>""");
        }
        return svg.AppendLine("</svg>").ToString();

        double X(double value) => Left + x.Place(value) * (Width - Left - Right);
        double Y(double value) => Height - Bottom - y.Place(value) * (Height - Top - Bottom);
    }

    private static string Escape(string text) => SecurityElement.Escape(PrintableText.Clean(text));

    /// <summary>A logarithmic axis with ticks at round multiples of powers of ten, more of them on a short one.</summary>
    private readonly record struct LogAxis(double Low, double High)
    {
        public static LogAxis Over(IEnumerable<double> values)
        {
            var logs = values.Select(Math.Log10).DefaultIfEmpty(0).ToList();
            // A tenth of the range, or at least a seventh of a decade, stays free on either side.
            var margin = Math.Max(0.15, 0.1 * (logs.Max() - logs.Min()));
            return new(logs.Min() - margin, logs.Max() + margin);
        }

        /// <summary>0 at the low end, 1 at the high one.</summary>
        public double Place(double value) => (Math.Log10(value) - Low) / (High - Low);

        public IEnumerable<double> Ticks
        {
            get
            {
                var (low, high) = (Low, High);
                return Enumerable.Range((int)Math.Floor(low), (int)Math.Ceiling(high) - (int)Math.Floor(low) + 1)
                    .SelectMany(power => (high - low > 3 ? new[] { 1.0 } : high - low > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]).Select(step => step * Math.Pow(10, power))).Where(tick => Math.Log10(tick) >= low && Math.Log10(tick) <= high);
            }
        }
    }
}
