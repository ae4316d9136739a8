namespace Plimsoll.Checkpoints.Pickle;

/// <summary>Makes values bottom-up: a container is handed over once, complete, with what was made of its items. Nothing else is kept of it.</summary>
/// <typeparam name="T">What stands for a value.</typeparam>
public interface IValueBuilder<T>
{
    T None();

    T Boolean(bool value);

    T Integer(Int128 value);

    T Number(double value);

    /// <summary>A string, or bytes, as UTF-8; the span is valid during the call only.</summary>
    T Text(ReadOnlySpan<byte> utf8);

    /// <summary>A list, tuple or set.</summary>
    T Sequence(ReadOnlySpan<T> items);

    /// <summary>A dictionary: key, value, key, value.</summary>
    T Dictionary(ReadOnlySpan<T> keysAndValues);
}
