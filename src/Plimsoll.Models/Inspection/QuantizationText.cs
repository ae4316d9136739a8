using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Inspection;

/// <summary>Says in a sentence how the weights of a checkpoint are quantized.</summary>
internal static class QuantizationText
{
    public static string Describe(CheckpointInspection inspection)
    {
        if (inspection.Checkpoint?.Gguf is { } metadata)
            return Gguf(inspection, metadata);
        var stored = inspection.Types.Where(line => line.Parameters is not 0).Select(line => line.Name).ToList();
        if (inspection.Quantization is { } quantization)
        {
            var tool = quantization.Tool is { } name ? $"; written by {name}" : "";
            var kept = quantization.NotConverted.IsEmpty ? "" : $"; not converted: {InspectionProblem.Examples([.. quantization.NotConverted])}";
            return quantization.Describe() + kept + tool;
        }
        var quantized = inspection.Storages.Where(storage => storage.IsQuantized).Select(storage => storage.TypeName).Distinct().ToList();
        return quantized.Count > 0
            ? $"{InspectionProblem.Examples(quantized)} (told by the tensors; no configuration says so)"
            : stored.Count > 0 ? $"none: stored as {InspectionProblem.Examples(stored)}" : "none";
    }

    /// <summary>The precision in a word; null where there are no weights.</summary>
    public static string? Precision(CheckpointInspection inspection)
    {
        if (inspection.Kind is CheckpointKind.Vocabulary or CheckpointKind.ImportanceMatrix || inspection.Types.IsEmpty)
            return null;
        if (inspection.Quantization is { } quantization)
            return quantization.PrecisionName;
        return inspection.Checkpoint?.Gguf?.Raw("general.file_type") is long id && GgufFileType.FromId(id) is { } type ? type.Name : inspection.Types.FirstOrDefault(line => line.Parameters is not 0)?.Name.ToLowerInvariant();
    }

    private static string Gguf(CheckpointInspection inspection, GgufMetadata metadata)
    {
        if (inspection.Kind is CheckpointKind.Vocabulary or CheckpointKind.ImportanceMatrix)
            return "none: no weights";
        var blocks = inspection.Types.Where(line => NumberFormats.Find(line.Name) is { Kind: NumberFormatKind.Block }).Select(line => line.Name).ToList();
        var made = blocks.Count == 0 ? $"none: stored as {InspectionProblem.Examples([.. inspection.Types.Select(line => line.Name)])}" : InspectionProblem.Examples(blocks);
        var type = metadata.Raw("general.file_type") is not long id ? null
            : GgufFileType.FromId(id) is { } known ? known.Name.ToUpperInvariant() : $"file type {id}, which is not known";
        var matrix = metadata.Raw("quantize.imatrix.file") is string file
            ? $"; importance matrix {Path.GetFileName(file.Replace('\\', '/'))}{(metadata.Raw("quantize.imatrix.dataset") is string dataset ? $" from {Path.GetFileName(dataset.Replace('\\', '/'))}" : "")}"
            : "";
        return blocks.Count > 0 && type is not null ? $"{type} ({made}){matrix}" : made + matrix;
    }
}
