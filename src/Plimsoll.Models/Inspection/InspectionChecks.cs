using System.Collections.Immutable;
using Plimsoll.Models.Inspection.Checks;

namespace Plimsoll.Models.Inspection;

/// <summary>One thing that is checked.</summary>
/// <param name="Name">The word in <see cref="InspectionProblem.Check"/>.</param>
/// <param name="Summary">What it compares, to complete the sentence "checked …".</param>
/// <param name="Find">Yields what is wrong.</param>
public sealed record InspectionCheck(string Name, string Summary, Func<CheckpointInspection, IEnumerable<InspectionProblem>> Find);

/// <summary>Every check of a checkpoint. A new one is a file in <c>Checks</c> and a line here.</summary>
public static class InspectionChecks
{
    public static ImmutableArray<InspectionCheck> All { get; } =
    [
        new(FilesCheck.Name, "that every file is there and holds what the index and its own header promise", FilesCheck.Find),
        new(EmptyTensorsCheck.Name, "that no tensor is empty", EmptyTensorsCheck.Find),
        new(NamesCheck.Name, "that names have no prefix of a training wrapper", NamesCheck.Find),
        new(ArchitectureCheck.Name, "that the tensors are those of the architecture, in its shapes", ArchitectureCheck.Find),
        new(QuantizationCheck.Name, "that packed tensors, scales and zero points fit each other and the configuration", QuantizationCheck.Find),
        new(PrecisionCheck.Name, "that the same tensor has the same type in every layer", PrecisionCheck.Find),
        new(VocabularyCheck.Name, "that every token has a row in the embedding", VocabularyCheck.Find),
        new(GgufCheck.Name, "that a GGUF file has the keys and blocks that llama.cpp requires", GgufCheck.Find),
    ];

    internal static IEnumerable<InspectionProblem> Run(CheckpointInspection inspection) => All.SelectMany(check => check.Find(inspection));
}
