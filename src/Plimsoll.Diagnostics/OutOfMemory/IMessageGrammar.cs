namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Finds the messages of one program in a log.</summary>
internal interface IMessageGrammar
{
    IEnumerable<OutOfMemoryEvent> Find(LogText log);
}
