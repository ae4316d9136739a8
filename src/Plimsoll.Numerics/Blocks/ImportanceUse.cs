namespace Plimsoll.Numerics.Blocks;

/// <summary>What an encoder does with the importance of columns.</summary>
public enum ImportanceUse
{
    Ignored,

    /// <summary>Taken when there is one.</summary>
    Optional,

    /// <summary>The format is too coarse to be encoded without.</summary>
    Required,
}
