using System.Collections.Immutable;

namespace Plimsoll.Models.Inspection;

/// <summary>How bad a problem is.</summary>
public enum ProblemSeverity
{
    /// <summary>Odd or wasteful; engines load the checkpoint.</summary>
    Warning,

    /// <summary>Engines refuse the checkpoint, or compute nonsense from it.</summary>
    Error,
}

/// <summary>Something wrong with a checkpoint.</summary>
/// <param name="Check">The check that found it, a word such as <c>quantization</c>.</param>
/// <param name="Message">A sentence that names the thing, what was found and what was expected.</param>
/// <param name="Tensors">Every tensor or parameter it concerns; empty when it concerns files or keys.</param>
public sealed record InspectionProblem(string Check, ProblemSeverity Severity, string Message, ImmutableArray<string> Tensors)
{
    public static InspectionProblem Error(string check, string message, IEnumerable<string>? tensors = null) => new(check, ProblemSeverity.Error, message, [.. tensors ?? []]);

    public static InspectionProblem Warning(string check, string message, IEnumerable<string>? tensors = null) => new(check, ProblemSeverity.Warning, message, [.. tensors ?? []]);

    /// <summary>The first names and how many more there are, so that a sentence stays readable.</summary>
    internal static string Examples(IReadOnlyCollection<string> names, int limit = 3) =>
        string.Join(", ", names.Take(limit)) + (names.Count > limit ? $" and {names.Count - limit:N0} more" : "");

    /// <summary><c>1 tensor is</c>, <c>3 tensors are</c>.</summary>
    internal static string Count(int count, string singular, string verb, string plural) => count == 1 ? $"1 {singular} {verb}" : $"{count:N0} {singular}s {plural}";
}
