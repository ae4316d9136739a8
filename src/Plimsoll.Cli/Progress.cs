using System.CommandLine;
using System.Globalization;

namespace Plimsoll.Cli;

/// <summary>Shows on stderr how far a long job is: a bar with rate and time left where somebody watches, a line now and then elsewhere, nothing with <c>--quiet</c>.</summary>
/// <remarks>May be told from several threads. Plain text without colour or control sequences: the bar is drawn over itself by a carriage return.</remarks>
internal sealed class Progress : IDisposable
{
    /// <summary>Columns of the facts beside the bar, without the item, which may be cut.</summary>
    private const int FactsWidth = 72;

    /// <summary>Lines are written when another tenth is done, but not more often than this.</summary>
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(100);

    private readonly TextWriter? error;
    private readonly TimeProvider time;
    private readonly bool isBar;
    private readonly int width;
    private readonly int barWidth;
    private readonly string title;
    private readonly long total;
    private readonly ProgressUnit unit;
    private readonly Lock gate = new();
    private readonly long start;
    private readonly long alreadyDone;
    private long lastShown;
    private int lastTenth;
    private int shownLength;

    private Progress(ParseResult parsed, CliEnvironment environment, string title, long total, ProgressUnit unit, long alreadyDone)
    {
        error = parsed.GetValue(GlobalOptions.Quiet) ? null : environment.Error;
        time = environment.Time;
        isBar = environment.ErrorIsTerminal && string.IsNullOrEmpty(environment.Variable("CI")) && environment.Variable("TERM") != "dumb";
        width = environment.Width;
        barWidth = Math.Clamp(width - FactsWidth, 6, 24);
        (this.title, this.total, this.unit, this.alreadyDone) = (title, total, unit, alreadyDone);
        start = lastShown = time.GetTimestamp();
        lastTenth = Tenth(alreadyDone);
        if (isBar)
            Draw(alreadyDone, null);
    }

    /// <param name="title">What is being done, a word: <c>quantize</c>.</param>
    /// <param name="total">All there is to do.</param>
    /// <param name="alreadyDone">What an earlier run had done; it counts as done but not for the rate.</param>
    public static Progress Start(ParseResult parsed, CliEnvironment environment, string title, long total, ProgressUnit unit, long alreadyDone = 0) =>
        new(parsed, environment, title, total, unit, alreadyDone);

    /// <summary>Tells that <paramref name="done"/> of the total are done.</summary>
    /// <param name="item">What is being worked on: the name of a tensor.</param>
    public void Report(long done, string? item = null)
    {
        if (error is null)
            return;
        lock (gate)
        {
            var since = time.GetElapsedTime(lastShown);
            if (isBar ? since < BarInterval : since < LineInterval || Tenth(done) <= lastTenth)
                return;
            lastShown = time.GetTimestamp();
            lastTenth = Tenth(done);
            if (isBar)
                Draw(done, item);
            else
                error.WriteLine($"plimsoll: {Text(done)}");
        }
    }

    /// <summary>Removes the bar, so that what is written next begins on a clean line.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (shownLength > 0)
                error?.Write($"\r{new string(' ', shownLength)}\r");
            shownLength = 0;
        }
    }

    private void Draw(long done, string? item)
    {
        if (error is null)
            return;
        var filled = (int)(barWidth * Share(done));
        var line = $"{title} {new string('█', filled)}{new string('░', barWidth - filled)} {Facts(done)}{(item is null ? "" : "  " + item)}";
        // One column stays free: terminals wrap when the last one is written.
        if (line.Length >= width)
            line = line[..(width - 1)];
        error.Write("\r" + line.PadRight(shownLength));
        shownLength = line.Length;
        error.Flush();
    }

    private string Text(long done) => $"{title} {Facts(done)}";

    private string Facts(long done)
    {
        var seconds = time.GetElapsedTime(start).TotalSeconds;
        var rate = seconds > 0 ? (done - alreadyDone) / seconds : 0;
        var facts = string.Create(CultureInfo.InvariantCulture, $"{100 * Share(done),3:0} %  {unit.Amount(done, total)}");
        return rate > 0 ? $"{facts}  {unit.Rate(rate)}  ETA {Duration((total - done) / rate)}" : facts;
    }

    private double Share(long done) => total > 0 ? Math.Clamp((double)done / total, 0, 1) : 1;

    private int Tenth(long done) => (int)(10 * Share(done));

    /// <summary><c>0:07</c>, <c>12:30</c>, <c>3:05:00</c>.</summary>
    private static string Duration(double seconds)
    {
        var span = TimeSpan.FromSeconds(Math.Min(Math.Ceiling(Math.Max(0, seconds)), 1e8));
        return span.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalHours}:{span.Minutes:00}:{span.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{span.Minutes}:{span.Seconds:00}");
    }
}
