namespace Plimsoll.Numerics.Blocks;

/// <summary>One block format of quantized weights: from rows of floats to packed blocks and back.</summary>
/// <remarks>
/// A codec has no state and may be used by many threads at once. Rows are independent of each other: a matrix encoded in pieces of whole rows has the
/// bytes of the matrix encoded at once.
/// </remarks>
public abstract class BlockCodec
{
    /// <summary>Block length, bytes and name.</summary>
    public abstract NumberFormat Format { get; }

    /// <summary>What <see cref="Encode"/> does with importances in exact mode.</summary>
    public virtual ImportanceUse Importance => ImportanceUse.Optional;

    /// <summary>Encodes whole rows.</summary>
    /// <param name="values">(rows, rowLength), row-major, finite.</param>
    /// <param name="rowLength">Elements of a row: a multiple of the block length.</param>
    /// <param name="blocks">Receives <c>Format.BytesFor(values.Length)</c> bytes.</param>
    /// <param name="importance">One weight per column, (rowLength), the mean square of the activation that meets it; empty for none.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the format requires importances and there are none.</exception>
    public void Encode(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance = default, BlockSearch search = BlockSearch.Exact)
    {
        if (rowLength <= 0 || rowLength % Format.BlockLength != 0)
            throw new ArgumentException($"a row of {Format} has a multiple of {Format.BlockLength} elements, not {rowLength}", nameof(rowLength));
        if (values.Length % rowLength != 0)
            throw new ArgumentException($"{values.Length} values are no whole rows of {rowLength}", nameof(values));
        if (blocks.Length != Format.BytesFor(values.Length))
            throw new ArgumentException($"{values.Length} values take {Format.BytesFor(values.Length)} bytes of {Format}, not {blocks.Length}", nameof(blocks));
        if (!importance.IsEmpty && importance.Length != rowLength)
            throw new ArgumentException($"{importance.Length} importances for rows of {rowLength}", nameof(importance));
        if (importance.IsEmpty && Importance == ImportanceUse.Required)
            throw new ArgumentException($"{Format} cannot be encoded without the importance of each column", nameof(importance));
        EncodeRows(values, rowLength, blocks, Importance == ImportanceUse.Ignored && search == BlockSearch.Exact ? [] : importance, search);
    }

    /// <summary>Decodes whole blocks.</summary>
    /// <param name="blocks">Any number of whole blocks.</param>
    /// <param name="values">Receives their elements.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        if (values.Length % Format.BlockLength != 0 || blocks.Length != Format.BytesFor(values.Length))
            throw new ArgumentException($"{blocks.Length} bytes of {Format} are not {values.Length} values", nameof(values));
        DecodeBlocks(blocks, values);
    }

    /// <summary>The FP32 factor under which a tensor is encoded best, where the format allows one beside its blocks (GGUF: <c>NAME.scale</c>); else 1.</summary>
    /// <param name="largestMagnitude">The largest |value| of the tensor.</param>
    /// <remarks>Encode the values divided by it, and multiply what is decoded by it.</remarks>
    public virtual float TensorScale(float largestMagnitude) => 1;

    /// <summary>Encodes rows whose lengths have been checked.</summary>
    protected abstract void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search);

    /// <summary>Decodes blocks whose lengths have been checked.</summary>
    protected abstract void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values);
}
