namespace Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

/// <summary>The nearest codes under scales that spread the whole range of each group.</summary>
internal sealed class NearestRounder(IntegerGrid grid) : IntegerRounder
{
    public override void Round(ReadOnlySpan<float> values, IntegerRows rows)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            for (var group = 0; group < rows.Groups; group++)
            {
                var (columns, at) = (rows.ColumnsOf(group), row * rows.Groups + group);
                var weights = values.Slice(row * rows.Columns, rows.Columns)[columns];
                (rows.Scales[at], rows.Zeros[at]) = grid.Choose(weights);
                grid.Encode(weights, rows.Scales[at], rows.Zeros[at], rows.Row(row)[columns]);
            }
        }
    }
}
