namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>The formula of <see cref="IntegerKernel"/> as it stands: the reference of the vector kernels.</summary>
internal sealed unsafe class ScalarIntegerKernel<TShape>(bool isSigned) : IntegerKernel
    where TShape : struct, ITileShape
{
    public override bool TakesWords => false;

    public override void Multiply(CodeTile tile, int length, byte* inputs, int columns, float* sums)
    {
        for (var column = 0; column < columns; column++)
        {
            var block = inputs + (long)column * InputBlocks.BlockBytes(words: false);
            var scales = (float*)(block + InputBlocks.CodeBytes(words: false));
            var inputSums = TShape.GroupLength == 16 ? scales + 8 : scales + 24;
            for (var row = 0; row < Panel.Rows; row++)
            {
                var sum = sums[column * Panel.Rows + row];
                for (var group = 0; group < length / TShape.GroupLength; group++)
                {
                    var dot = Dot(tile.Codes + row * 4, (sbyte*)block, group * TShape.GroupLength);
                    sum += dot * (tile.Scales[group * Panel.Rows + row] * scales[group * TShape.GroupLength / 32]);
                    if (TShape.HasMinimums)
                        sum += tile.Minimums[group * Panel.Rows + row] * inputSums[group];
                }
                sums[column * Panel.Rows + row] = sum;
            }
        }
    }

    private int Dot(byte* codes, sbyte* inputs, int first)
    {
        var sum = 0;
        for (var k = first; k < first + TShape.GroupLength; k++)
        {
            var code = codes[k / 4 * CodeTile.QuadBytes + k % 4];
            sum += (isSigned ? (sbyte)code : code) * inputs[k];
        }
        return sum;
    }
}
