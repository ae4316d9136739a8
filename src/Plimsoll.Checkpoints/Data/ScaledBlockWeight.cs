namespace Plimsoll.Checkpoints.Data;

/// <summary>The blocks of a GGUF tensor and one factor for each matrix beside it: <c>blk.0.attn_q.weight</c> of NVFP4 and <c>blk.0.attn_q.scale</c>.</summary>
public sealed class ScaledBlockWeight : StoredWeight
{
    private readonly BlockWeight blocks;
    private readonly float[] scales;
    private readonly long rowsOfOne;

    /// <exception cref="CheckpointFormatException">There are not as many factors as matrices.</exception>
    internal ScaledBlockWeight(BlockWeight blocks, float[] scales) : base(blocks.Storage, blocks.Dimensions)
    {
        (this.blocks, this.scales) = (blocks, scales);
        var matrices = Dimensions.Length > 2 ? Dimensions[0] : 1;
        if (scales.Length != matrices)
            throw new CheckpointFormatException(Storage.Main.File, Storage.Main.Offset, $"{matrices} scales beside '{Name}', one for each matrix", $"{scales.Length}");
        rowsOfOne = Math.Max(1, Rows / matrices);
    }

    /// <summary>The factor of the matrix that a row belongs to.</summary>
    public float Factor(long row) => scales[row / rowsOfOne];

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        blocks.ReadRows(firstRow, values);
        for (var row = firstRow; !values.IsEmpty; row++, values = values[(int)RowLength..])
        {
            var scale = Factor(row);
            foreach (ref var value in values[..(int)RowLength])
                value *= scale;
        }
    }
}
