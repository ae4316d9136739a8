using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Models.Inspection.Checks;

/// <summary>Missing files, contradictions between files, bytes that no tensor owns.</summary>
internal static class FilesCheck
{
    public const string Name = "files";

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        if (inspection.Checkpoint is not { } checkpoint)
            yield break;
        foreach (var problem in checkpoint.Problems)
            yield return InspectionProblem.Error(Name, problem.EndsWith('…') ? problem : $"{problem}.");
        if (checkpoint.Format != CheckpointFormat.Gguf)
            yield break;
        var alignment = checkpoint.Gguf?.Raw("general.alignment") as long? ?? GgufLimits.DefaultAlignment;
        foreach (var file in inspection.Files.Where(file => file is { Bytes: not null, Tensors: > 0 }))
        {
            var end = checkpoint.Tensors.Where(tensor => tensor.File == file.Path).Max(tensor => tensor.Offset + tensor.Bytes);
            var padded = end + (alignment - end % alignment) % alignment;
            if (file.Bytes > padded)
                yield return InspectionProblem.Warning(Name, $"{Path.GetFileName(file.Path)} has {file.Bytes - padded:N0} bytes behind its last tensor that belong to none.");
        }
    }
}
