using System.Globalization;
using System.Security;
using System.Text;
using Plimsoll.Diagnostics.Snapshots;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Diagnose.Snapshots;

/// <summary>Memory over the trace as SVG: live bytes stacked by line of code, the reserve as a line above, the failure as a mark. Devices lie below each other.</summary>
internal static class TimelinePlot
{
    private const double Width = 1100, Height = 380, Left = 90, Right = 20, Top = 40, Bottom = 40, Legend = 20;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Okabe and Ito's colours, which the colour-blind tell apart, and grey for the others.</summary>
    private static readonly string[] Colors = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#555555"];

    public static string Draw(SnapshotDiagnosis diagnosis)
    {
        var drawn = diagnosis.Devices.Where(device => device.History.EventCount > 0).Select(device => (Device: device, Timeline: MemoryTimeline.Of(diagnosis.Snapshot, device))).ToList();
        var heights = drawn.Select(pair => Height + Legend * pair.Timeline.Bands.Length).ToList();
        var svg = new StringBuilder();
        svg.AppendLine(Culture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Math.Max(60, heights.Sum())}" font-family="sans-serif" font-size="12">""");
        svg.AppendLine("""<rect width="100%" height="100%" fill="white"/>""");
        if (drawn.Count == 0)
            svg.AppendLine("""<text x="20" y="34">The snapshot has no trace: nothing was recorded over time.</text>""");
        for (var i = 0; i < drawn.Count; i++)
        {
            svg.AppendLine(Culture, $"""<g transform="translate(0 {heights.Take(i).Sum()})">""");
            DrawDevice(svg, drawn[i].Device, drawn[i].Timeline);
            svg.AppendLine("</g>");
        }
        return svg.AppendLine("</svg>").ToString();
    }

    private static void DrawDevice(StringBuilder svg, DeviceMemory device, MemoryTimeline timeline)
    {
        var highest = Math.Max(1, Math.Max(timeline.Reserved.Max(), device.Live));
        svg.AppendLine(Culture, $"""<text x="{Left}" y="24" font-size="15">Device {device.Device}: memory in tensors by line of code; dashed: reserved</text>""");
        for (var tick = 0; tick <= 4; tick++)
        {
            var bytes = highest / 4.0 * tick;
            svg.AppendLine(Culture, $"""<path d="M{Left} {Y(bytes):0.0}H{Width - Right}" stroke="#ddd"/><text x="{Left - 8}" y="{Y(bytes) + 4:0.0}" text-anchor="end">{new ByteSize((long)bytes)}</text>""");
        }
        svg.AppendLine(Culture, $"""<svg x="{Left}" y="{Top}" width="{Width - Left - Right}" height="{Height - Top - Bottom}" viewBox="0 0 {timeline.Events.Length} {highest}" preserveAspectRatio="none" class="plot">""");
        var floor = new long[timeline.Events.Length];
        for (var band = timeline.Bands.Length - 1; band >= 0; band--)
        {
            var top = timeline.Bands[band].Bytes.Zip(floor, (bytes, below) => bytes + below).ToArray();
            svg.AppendLine(Culture, $"""<path d="M{Steps(top)}L{string.Join('L', Steps(floor).Split('L').Reverse())}Z" fill="{Colors[Math.Min(band, Colors.Length - 1)]}"><title>{Escape(timeline.Bands[band].Name)}</title></path>""");
            floor = top;
        }
        svg.AppendLine(Culture, $"""<path d="M{Steps([.. timeline.Reserved])}" fill="none" stroke="black" stroke-dasharray="6 4" vector-effect="non-scaling-stroke"/>""");
        if (device.Failed is not null)
            svg.AppendLine(Culture, $"""<path d="M{Column():0.0} 0V{highest}" stroke="red" vector-effect="non-scaling-stroke"><title>out of memory</title></path>""");
        svg.AppendLine("</svg>");
        svg.AppendLine(Culture, $"""<text x="{Left}" y="{Height - Bottom + 18}">event 1</text><text x="{Width - Right}" y="{Height - Bottom + 18}" text-anchor="end">event {device.History.EventCount:N0}</text>""");
        for (var band = 0; band < timeline.Bands.Length; band++)
        {
            var y = Height + Legend * band;
            svg.AppendLine(Culture, $"""<rect x="{Left}" y="{y - 10}" width="12" height="12" fill="{Colors[Math.Min(band, Colors.Length - 1)]}"/><text x="{Left + 20}" y="{y}">{Escape(timeline.Bands[band].Name)}: at most {new ByteSize(timeline.Bands[band].Bytes.Max())}</text>""");
        }

        double Y(double bytes) => Height - Bottom - bytes / highest * (Height - Top - Bottom);
        int Column() => timeline.Events.Count(at => at < device.EventIndex);
        string Steps(long[] values) => string.Join('L', values.SelectMany((bytes, column) => (string[])[string.Create(Culture, $"{column} {highest - bytes}"), string.Create(Culture, $"{column + 1} {highest - bytes}")]));
    }

    private static string Escape(string text) => SecurityElement.Escape(PrintableText.Clean(text));
}
