using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>One allocation that is larger than the device: a wrong shape, or an operation that must be cut.</summary>
internal sealed class RequestCheck : IOutOfMemoryCheck
{
    /// <summary>Beyond so many devices no real tensor goes.</summary>
    private const int Absurd = 10;

    public ImmutableArray<Rule> Rules =>
    [
        new("absurd-request", "one tensor of terabytes", "requested > 10 x capacity", "published cases of wrong shapes"),
        new("request-above-device", "one allocation is larger than the device", "requested > capacity", "the balance of the message"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        var ledger = found.Event.Ledger;
        if (found.Event.Kind != MemoryKind.Device || ledger.Requested is not { } requested || ledger.Total is not { } total || total.Bytes <= 0 || requested.Bytes <= total.Bytes)
            yield break;
        ImmutableArray<string> evidence = [$"asked for {requested} at once, the device has {total}"];
        if (requested.Bytes / Absurd > total.Bytes)
        {
            yield return new("absurd-request", Severity.Cause,
                $"One tensor of {requested} was asked for: a size in the code or the configuration is wrong. No memory setting helps.",
                evidence, null, Certainty.High,
                [new("print the shapes on the failing line: a product of dimensions, or an index used as a size, has run away", null, "none")]);
            yield break;
        }
        var free = ledger.Free is { Bytes: > 0 } left ? left.Bytes : total.Bytes;
        var pieces = (requested.Bytes + free - 1) / free;
        yield return new("request-above-device", Severity.Cause,
            $"One allocation of {requested} is larger than the whole device ({total}), so nothing that is freed elsewhere makes it fit.",
            evidence, found.Sheet.Shortage?.Bytes, Certainty.High,
            [
                new($"cut the operation into at least {pieces} pieces (chunks of the batch or of the sequence, tiles)", null, "a little time"),
                new("flash or SDPA attention where the tensor is batch × heads × length × length of eager attention", null, "none"),
                new("a shorter sequence: such tensors grow with its square", null, "shorter inputs"),
            ])
        { ShortageRounding = found.Sheet.Shortage?.Rounding ?? 0 };
    }
}
