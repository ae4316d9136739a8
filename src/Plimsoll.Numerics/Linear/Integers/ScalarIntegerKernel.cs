namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>The formula of <see cref="IntegerKernel"/> as it stands: the reference of the vector kernels.</summary>
internal sealed unsafe class ScalarIntegerKernel<TLayout> : IntegerKernel
    where TLayout : struct, ICodeLayout
{
    public override bool TakesWords => false;

    public override float SumFactor => TLayout.HasMinimums ? 1 : TLayout.Centre;

    public override void Multiply(in CodeTile tile, int length, byte* inputs, int columns, float* sums)
    {
        for (var column = 0; column < columns; column++)
        {
            var block = inputs + (long)column * InputBlocks.BlockBytes(words: false);
            var scales = (float*)(block + InputBlocks.CodeBytes(words: false));
            var inputSums = scales + (TLayout.GroupLength == 16 ? InputBlocks.SumsOf16 : InputBlocks.SumsOf32);
            for (var row = 0; row < Panel.Rows; row++)
            {
                var sum = sums[column * Panel.Rows + row];
                for (var group = 0; group < length / TLayout.GroupLength; group++)
                {
                    var dot = Dot(tile.Planes, row, (sbyte*)block, group * TLayout.GroupLength);
                    sum += tile.Scales[group * Panel.Rows + row] * (dot * scales[group * TLayout.GroupLength / 32] + (TLayout.HasMinimums ? 0 : inputSums[group]));
                    if (TLayout.HasMinimums)
                        sum += tile.Minimums[group * Panel.Rows + row] * inputSums[group];
                }
                sums[column * Panel.Rows + row] = sum;
            }
        }
    }

    private static int Dot(byte* planes, int row, sbyte* inputs, int first)
    {
        var sum = 0;
        for (var k = first; k < first + TLayout.GroupLength; k++)
            sum += CodePlanes.Read<TLayout>(planes + k / 32 * CodePlanes.GroupBytes<TLayout>(), row, k % 32) * inputs[k];
        return sum;
    }
}
