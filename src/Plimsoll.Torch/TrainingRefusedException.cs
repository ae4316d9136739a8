namespace Plimsoll.Torch;

/// <summary>A run that cannot be, as it was asked for: the data, the model or the settings do not allow it.</summary>
internal sealed class TrainingRefusedException(string message, string? hint = null) : Exception(message)
{
    /// <summary>The next step.</summary>
    public string? Hint { get; } = hint;
}
