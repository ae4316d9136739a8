using System.Globalization;
using System.Security;
using System.Text;
using Plimsoll.Diagnostics.Snapshots;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Diagnose.Snapshots;

/// <summary>The diagnosis as one page that needs nothing from anywhere: findings, the timeline to zoom into, and who held memory.</summary>
internal static class SnapshotPage
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>The wheel zooms around the pointer, dragging moves, a double click shows everything again.</summary>
    private const string Script =
        """
        for (const plot of document.querySelectorAll('svg.plot')) {
          const whole = plot.getAttribute('viewBox').split(' ').map(Number);
          let [x, y, width, height] = whole;
          const show = () => {
            width = Math.min(Math.max(width, 2), whole[2]);
            x = Math.min(Math.max(x, 0), whole[2] - width);
            plot.setAttribute('viewBox', [x, y, width, height].join(' '));
          };
          const across = event => { const box = plot.getBoundingClientRect(); return (event.clientX - box.left) / box.width; };
          plot.addEventListener('wheel', event => {
            event.preventDefault();
            const at = x + across(event) * width;
            width *= event.deltaY < 0 ? 0.8 : 1.25;
            x = at - across(event) * width;
            show();
          }, { passive: false });
          let grabbed = null;
          plot.addEventListener('pointerdown', event => { grabbed = x + across(event) * width; plot.setPointerCapture(event.pointerId); });
          plot.addEventListener('pointermove', event => { if (grabbed !== null) { x = grabbed - across(event) * width; show(); } });
          plot.addEventListener('pointerup', () => { grabbed = null; });
          plot.addEventListener('dblclick', () => { [x, y, width, height] = whole; show(); });
        }
        """;

    public static string Write(SnapshotDiagnosis diagnosis)
    {
        var page = new StringBuilder();
        page.AppendLine(
            """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Memory snapshot</title>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
            <style>body{font-family:sans-serif;margin:2em;max-width:1150px}td,th{padding:.2em .8em;text-align:left}.n{text-align:right}svg.plot{cursor:grab}</style></head><body>
            <h1>Memory snapshot</h1>
            """);
        foreach (var finding in diagnosis.Findings)
        {
            page.AppendLine(Culture, $"<p><b>{Escape(finding.Check)}</b>: {Escape(finding.Message)}</p>");
            if (!finding.Fixes.IsEmpty)
                page.AppendLine(Culture, $"<ol>{string.Concat(finding.Fixes.Select(fix => $"<li>{Escape(FindingText.Describe(fix))}</li>"))}</ol>");
        }
        page.AppendLine("<h2>Over time</h2><p>Wheel: zoom. Drag: move. Double click: everything.</p>");
        page.AppendLine(TimelinePlot.Draw(diagnosis));
        foreach (var device in diagnosis.Devices)
            WriteHolders(page, device);
        return page.AppendLine(Culture, $"<script>{Script}</script>").AppendLine("</body></html>").ToString();
    }

    private static void WriteHolders(StringBuilder page, DeviceMemory device)
    {
        page.AppendLine(Culture, $"<h2>Device {device.Device}: {new ByteSize(device.Live)} in tensors, {new ByteSize(device.Reserved)} reserved</h2>");
        page.AppendLine("<table><tr><th class=\"n\">held</th><th class=\"n\">tensors</th><th>by</th><th>for</th><th>called from</th></tr>");
        foreach (var holder in device.Holders)
        {
            page.AppendLine(
                Culture,
                $"<tr><td class=\"n\">{new ByteSize(holder.Bytes)}</td><td class=\"n\">{holder.Count:N0}</td><td>{Escape(holder.Site.ToString())}</td><td>{holder.Category.Describe()}</td><td>{Escape(string.Join(" < ", holder.Callers.Skip(1)))}</td></tr>");
        }
        page.AppendLine("</table>");
    }

    private static string Escape(string text) => SecurityElement.Escape(PrintableText.Clean(text));
}
