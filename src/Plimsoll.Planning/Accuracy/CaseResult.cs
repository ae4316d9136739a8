using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Accuracy;

/// <summary>One measured figure beside what the planner says of it, or why it says nothing.</summary>
public sealed record CaseResult
{
    public required string Id { get; init; }

    public required string Group { get; init; }

    /// <summary><c>inference</c>, <c>training</c>, <c>overhead</c> or <c>throughput</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>What was measured: <c>total</c>, <c>kv_cache</c>, <c>compute</c>, <c>weights</c>, <c>decode_tokens_per_second</c>, …</summary>
    public required string Quantity { get; init; }

    /// <summary>Bytes, or tokens per second for speeds; null when only a verdict was published.</summary>
    public double? Measured { get; init; }

    public double? Predicted { get; init; }

    public double? Low { get; init; }

    public double? High { get; init; }

    /// <summary>Why the planner declines; null when it predicts.</summary>
    public string? RefusedBecause { get; init; }

    /// <summary>(predicted - measured) / measured, signed.</summary>
    public double? Error => Measured is { } measured and not 0 && Predicted is { } predicted ? (predicted - measured) / measured : null;

    /// <summary>The measured value lies between the bounds; a thousandth of it is allowed for the rounding of published figures.</summary>
    public bool? InBounds => Measured is { } measured && Low is { } low && High is { } high ? measured * 1.001 >= low && measured * 0.999 <= high : null;

    /// <summary>The figures are bytes; otherwise tokens per second, or a verdict of 0 or 1.</summary>
    public bool IsSize => !Quantity.EndsWith("per_second", StringComparison.Ordinal) && Quantity != "out_of_memory";

    internal static CaseResult Refuse(MeasuredCase measured, string quantity, string reason) =>
        new() { Id = measured.Id, Group = measured.Group, Kind = measured.Kind, Quantity = quantity, RefusedBecause = reason };

    internal static CaseResult Compare(MeasuredCase measured, string quantity, long measuredBytes, ByteRange predicted) => new()
    {
        Id = measured.Id,
        Group = measured.Group,
        Kind = measured.Kind,
        Quantity = quantity,
        Measured = measuredBytes,
        Predicted = predicted.Expected,
        Low = predicted.Low,
        High = predicted.High,
    };
}

/// <summary>The planner declines a case; the message is the reason that the report prints.</summary>
internal sealed class CaseRefusedException(string reason) : Exception(reason);
