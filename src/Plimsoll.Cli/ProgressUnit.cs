using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Cli;

/// <summary>What a long job counts, and how amounts and rates of it are written.</summary>
/// <param name="Amount">How much of how much: <c>1.20 of 4.00 GB</c>.</param>
/// <param name="Rate">How much in a second: <c>1.35 GB/s</c>.</param>
internal sealed record ProgressUnit(Func<long, long, string> Amount, Func<double, string> Rate)
{
    public static ProgressUnit Bytes { get; } = new(
        (done, total) => $"{new ByteSize(done).ToDecimalString()} of {new ByteSize(total).ToDecimalString()}",
        rate => $"{ByteSize.FromDouble(rate).ToDecimalString()}/s");

    /// <param name="plural">The word for several: <c>tokens</c>.</param>
    public static ProgressUnit Of(string plural) => new(
        (done, total) => string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {total:N0} {plural}"),
        rate => string.Create(CultureInfo.InvariantCulture, $"{rate.ToString(rate < 10 ? "0.00" : "N0", CultureInfo.InvariantCulture)} {plural}/s"));
}
