namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>One rule: from a case to what it finds, if anything.</summary>
internal interface IOutOfMemoryCheck
{
    IEnumerable<Finding> Run(OutOfMemoryCase found);
}
