using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>The batch of one device, where a command line or a configuration in the log states it.</summary>
internal static partial class BatchReader
{
    private const int MostPlausible = 1 << 20;

    /// <summary>The last statement before the event; null when there is none.</summary>
    public static int? Find(LogText log, int position)
    {
        var last = Stated.Matches(log.Flat[..position]).LastOrDefault();
        return last is not null && int.TryParse(last.Groups["batch"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var batch) && batch is > 0 and < MostPlausible ? batch : null;
    }

    [GeneratedRegex(@"(?:per_device_train_batch_size|per_gpu_train_batch_size|micro_batch_size|train_micro_batch_size_per_gpu|[Ii]nstantaneous batch size per device|batch[_-]size)['""]?\s*[=: ]\s*(?<batch>\d{1,7})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Stated { get; }
}
