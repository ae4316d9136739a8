namespace Plimsoll.Diagnostics;

/// <summary>What a check looks for, for those who ask what it knows.</summary>
/// <param name="Name">The name of its findings, in kebab case.</param>
/// <param name="Symptom">What the user sees.</param>
/// <param name="Evidence">What the input must state for it.</param>
/// <param name="Source">Where the reasoning comes from.</param>
public sealed record Rule(string Name, string Symptom, string Evidence, string Source);
