using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>PyTorch's caching allocator, in every wording since 1.0, for CUDA and the backends that took its text over.</summary>
/// <remarks>
/// 1.0 to 1.3 print what is cached besides the tensors, 1.4 to 2.0 what is reserved in total, 2.1 and later what is reserved but unallocated.
/// The advice and its link vary independently of the version. Source: c10/cuda/CUDACachingAllocator.cpp and published messages.
/// </remarks>
internal sealed partial class PyTorchGrammar : IMessageGrammar
{
    /// <summary>The longest message, with a dozen processes, is shorter.</summary>
    private const int MaxLength = 2400;

    public IEnumerable<OutOfMemoryEvent> Find(LogText log)
    {
        var heads = Head.Matches(log.Flat);
        for (var i = 0; i < heads.Count; i++)
        {
            var head = heads[i];
            var end = Math.Min(i + 1 < heads.Count ? heads[i + 1].Index : log.Flat.Length, head.Index + MaxLength);
            yield return Read(log, head, log.Flat[head.Index..end]);
        }
    }

    private static OutOfMemoryEvent Read(LogText log, Match head, string text)
    {
        var allocated = Find(AllocatedField, text);
        var reserved = Find(ReservedTotalField, text);
        var processes = ProcessField.Matches(text);
        return new()
        {
            Family = head.Groups["limit"].Success ? "single-allocation" : "pytorch",
            Program = "PyTorch",
            Backend = head.Groups["backend"] is { Success: true } backend ? backend.Value.ToUpperInvariant() : "XPU",
            Device = DeviceField.Match(text) is { Success: true } device ? int.Parse(device.Groups["device"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : null,
            Rank = log.RankAt(head.Index),
            Line = log.LineAt(head.Index),
            Position = head.Index,
            Quote = Quotes.Sentence(text),
            HasFragmentationHint = text.Contains("to avoid fragmentation", StringComparison.Ordinal),
            HasUnavailableNumbers = UseField.Matches(text).Any(match => Amount.Parse(match.Groups["use"].Value) is null),
            Ledger = new()
            {
                Requested = Amount.Parse(head.Groups["requested"].Value),
                Total = Find(TotalField, text),
                Free = Find(FreeField, text),
                Allocated = allocated,
                ReservedUnallocated = Find(UnallocatedField, text) ?? Find(CachedField, text) ?? (reserved is { } total && allocated is { } used ? NotBelowZero(total - used) : null),
                PrivatePools = Find(PoolField, text),
                Allowed = Find(AllowedField, text),
                ThisProcess = Find(SelfField, text),
                Processes = [.. processes.Select(Process).OfType<ProcessUse>()],
            },
        };
    }

    private static ProcessUse? Process(Match match) =>
        Amount.Parse(match.Groups["use"].Value) is { } amount && long.TryParse(match.Groups["pid"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? new(id, amount) : null;

    /// <summary>Rounding can put the total a little below its part.</summary>
    private static Amount NotBelowZero(Amount amount) => amount.Bytes < 0 ? new(0, amount.Rounding) : amount;

    private static Amount? Find(Regex field, string text) => field.Match(text) is { Success: true } match ? Amount.Parse(match.Groups["amount"].Value) : null;

    private const string Size = @"(?<amount>\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?b?B|bytes|B))";

    [GeneratedRegex(@"(?:(?<backend>[A-Z]{3,6}) out of memory\.|(?<limit>can NOT allocate memory block with size larger than [\d.]+ ?GB!)) Tried to allocate (?<requested>\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?b?B|bytes|B))", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Head { get; }

    [GeneratedRegex(@"\b(?:GPU|NPU|XPU|MUSA|MLU|HPU|GCU|DCU) +(?<device>\d{1,4})\b", RegexOptions.CultureInvariant)]
    private static partial Regex DeviceField { get; }

    [GeneratedRegex(@"total capac(?:i)?ty of " + Size + "|" + @"(?<amount>\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?b?B|bytes|B)) total capacity", RegexOptions.CultureInvariant)]
    private static partial Regex TotalField { get; }

    [GeneratedRegex("of which " + Size + @" is free|(?<amount>\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?b?B|bytes|B)) free\b", RegexOptions.CultureInvariant)]
    private static partial Regex FreeField { get; }

    [GeneratedRegex("Of the allocated memory " + Size + " is allocated by PyTorch|" + @"(?<amount>\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?b?B|bytes|B)) already allocated", RegexOptions.CultureInvariant)]
    private static partial Regex AllocatedField { get; }

    [GeneratedRegex(Size + " is reserved by PyTorch but unallocated", RegexOptions.CultureInvariant)]
    private static partial Regex UnallocatedField { get; }

    [GeneratedRegex(Size + " reserved in total by PyTorch", RegexOptions.CultureInvariant)]
    private static partial Regex ReservedTotalField { get; }

    [GeneratedRegex(Size + @" cached\)", RegexOptions.CultureInvariant)]
    private static partial Regex CachedField { get; }

    [GeneratedRegex("with " + Size + " allocated in private pools", RegexOptions.CultureInvariant)]
    private static partial Regex PoolField { get; }

    [GeneratedRegex(Size + " allowed;", RegexOptions.CultureInvariant)]
    private static partial Regex AllowedField { get; }

    [GeneratedRegex("this process has " + Size + " memory in use", RegexOptions.CultureInvariant)]
    private static partial Regex SelfField { get; }

    [GeneratedRegex(@"\bProcess (?<pid>\d+) has (?<use>\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?b?B|bytes|B)) memory in use", RegexOptions.CultureInvariant)]
    private static partial Regex ProcessField { get; }

    [GeneratedRegex(@"has (?<use>\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?b?B|bytes|B)) memory in use", RegexOptions.CultureInvariant)]
    private static partial Regex UseField { get; }
}
