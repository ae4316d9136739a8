namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Which memory ran out.</summary>
public enum MemoryKind
{
    /// <summary>The memory of a GPU or another accelerator.</summary>
    Device,

    /// <summary>The machine's own.</summary>
    Host,

    /// <summary>Another resource whose error only sounds like memory: shared memory of a kernel.</summary>
    None,
}
