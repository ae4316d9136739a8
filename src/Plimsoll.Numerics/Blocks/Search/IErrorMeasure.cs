using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Search;

/// <summary>How much a difference counts.</summary>
internal interface IErrorMeasure
{
    static abstract T Of<T>(T difference) where T : unmanaged, ILanes<T>;
}

internal readonly struct AbsoluteError : IErrorMeasure
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T difference) where T : unmanaged, ILanes<T> => T.Abs(difference);
}

internal readonly struct SquaredError : IErrorMeasure
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T difference) where T : unmanaged, ILanes<T> => difference * difference;
}
