using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Models.Inspection;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Inspect;

/// <summary>The facts of a checkpoint in words.</summary>
internal static class InspectText
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static string Name(CheckpointInspection inspection) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(inspection.Path)));

    /// <summary>Labels and values, in the order in which people ask.</summary>
    public static IEnumerable<(string Label, string Text)> Facts(CheckpointInspection inspection)
    {
        if (inspection.Checkpoint is { } checkpoint)
            yield return ("format", Format(inspection, checkpoint));
        if (GivenName(inspection) is { } name)
            yield return ("name", name);
        if (Architecture(inspection) is { } architecture)
            yield return ("architecture", architecture);
        if (Parameters(inspection) is { } parameters)
            yield return ("parameters", parameters);
        if (inspection.WeightBytes > 0)
            yield return ("weights", Weights(inspection));
        if (inspection.QuantizationText.Length > 0)
            yield return ("quantization", inspection.QuantizationText);
        foreach (var fact in Special(inspection))
            yield return fact;
        if (inspection.ContextLength is { } context)
            yield return ("context", string.Create(Culture, $"{context:N0} tokens"));
        if (inspection.Tokenizer is { } tokenizer)
        {
            yield return ("tokenizer", Tokenizer(tokenizer));
            if (!tokenizer.SpecialTokens.IsEmpty)
                yield return ("special tokens", string.Join(", ", tokenizer.SpecialTokens.Select(Token)));
            yield return ("chat template", inspection.HasChatTemplate ? "yes" : "none");
        }
        else if (inspection.Kind == CheckpointKind.Model)
        {
            yield return ("tokenizer", inspection.Checkpoint?.Gguf is null ? "no tokenizer's file beside the weights" : "none in the file");
        }
        if (Metadata(inspection).ToList() is { Count: > 0 } metadata)
            yield return ("metadata", MetadataLine(inspection, metadata));
    }

    /// <summary>What it is, in the width of a column.</summary>
    public static string What(CheckpointInspection inspection) => inspection.Kind is CheckpointKind.Model or CheckpointKind.Configuration
        ? $"{inspection.Architecture ?? "unknown"}{(inspection.Kind == CheckpointKind.Configuration ? ", configuration" : "")}"
        : inspection.Kind.Word().Replace('_', ' ') + (inspection.Architecture is { } architecture ? $" ({architecture})" : "");

    public static string Findings(CheckpointInspection inspection) => inspection.Problems.IsEmpty
        ? ""
        : string.Join(", ", inspection.Problems.GroupBy(problem => problem.Severity).OrderDescending(Comparer<IGrouping<ProblemSeverity, InspectionProblem>>.Create((left, right) => left.Key.CompareTo(right.Key)))
            .Select(group => $"{group.Count()} {(group.Key == ProblemSeverity.Error ? "problem" : "warning")}{(group.Count() == 1 ? "" : "s")}"));

    public static long FileBytes(CheckpointInspection inspection) => inspection.Files.Sum(file => file.Bytes ?? file.TensorBytes);

    public static string Shape(ImmutableArray<long> dimensions) => dimensions.IsEmpty ? "scalar" : string.Join(" x ", dimensions);

    /// <summary>The key-values beside the tensors, each on one line.</summary>
    public static IEnumerable<(string Key, string Value)> Metadata(CheckpointInspection inspection)
    {
        if (inspection.Checkpoint?.Gguf is { } gguf)
            return gguf.Keys.Order(StringComparer.Ordinal).Select(key => (key, Value(gguf.Raw(key)!)));
        return inspection.Checkpoint?.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, OneLine(pair.Value))) ?? [];
    }

    /// <summary>Line ends within a value must not end the line.</summary>
    public static string OneLine(string text, int longest = 120)
    {
        var line = new StringBuilder();
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, longest)))
            line.Append(character switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ when char.IsControl(character) => $"\\x{(int)character:x2}", _ => character.ToString() });
        return text.Length > longest ? $"{line}… ({text.Length.ToString("N0", Culture)} characters)" : line.ToString();
    }

    private static string Value(object value) => value switch
    {
        string text => OneLine(text),
        bool truth => truth ? "true" : "false",
        GgufArray array => $"{array.Count.ToString("N0", Culture)} x {array.ElementType}",
        IList list => $"[{string.Join(", ", list.Cast<object>().Take(12).Select(Value))}{(list.Count > 12 ? $", … {list.Count.ToString("N0", Culture)} in all" : "")}]",
        // Most numbers are 32-bit; their own digits are shorter than those of the double that holds them.
        double number when (float)number == number => ((float)number).ToString(Culture),
        IFormattable number => number.ToString(null, Culture),
        _ => value.ToString() ?? "",
    };

    private static string Format(CheckpointInspection inspection, Checkpoint checkpoint)
    {
        var name = checkpoint.Format switch { CheckpointFormat.Gguf => $"GGUF v{checkpoint.GgufVersion}", CheckpointFormat.PyTorch => "PyTorch", _ => "safetensors" };
        var count = checkpoint.Files.Length;
        var files = count == 0 ? "none of its files is there" : $"{Count(count, "file")}, {FileSize(inspection)}";
        var missing = checkpoint.MissingFiles.IsEmpty ? "" : $", {checkpoint.MissingFiles.Length} missing";
        var promised = checkpoint is { Files.IsEmpty: true, Index: { } index } ? $"; the index lists {Count(index.WeightMap.Count, "tensor")}{(index.TotalSize is { } total ? $", {new ByteSize(total)}" : "")} in {Count(index.Files.Length, "file")}" : $", {Count(checkpoint.Tensors.Length, "tensor")}";
        return name + ", " + files + missing + promised;
    }

    private static string FileSize(CheckpointInspection inspection)
    {
        var bytes = FileBytes(inspection);
        return Size(bytes);
    }

    private static string? GivenName(CheckpointInspection inspection)
    {
        var name = inspection.Checkpoint?.Gguf is { } metadata ? metadata.Raw("general.name") as string : null;
        return string.IsNullOrWhiteSpace(name) ? null : OneLine(name);
    }

    private static string? Architecture(CheckpointInspection inspection) => (inspection.Architecture, inspection.Shape) switch
    {
        (null, null) => inspection.TensorOutline is { } outline ? $"unknown: {outline}" : inspection.Kind == CheckpointKind.Model ? "unknown" : null,
        ({ } name, null) => OneLine(name) + (inspection.TensorOutline is { } outline ? $": {outline}" : ""),
        (var name, { } shape) => $"{OneLine(name ?? shape.Architecture)}: {ModelShapeText.Describe(shape)}",
    };

    private static string? Parameters(CheckpointInspection inspection)
    {
        if (inspection.Parameters is not { } count)
            return inspection.ParametersNote is { } reason ? $"unknown: {reason}" : null;
        var active = inspection.Shape is { } shape && shape.ActiveParameters < shape.Parameters && shape.Parameters == count ? string.Create(Culture, $", {shape.ActiveParameters:N0} of them used per token") : "";
        return string.Create(Culture, $"{count:N0}{Short(count)}{active}{(inspection.ParametersNote is { } note ? $", {note}" : "")}");
    }

    public static string Size(long bytes) => bytes < 1024 ? $"{bytes} B" : string.Create(Culture, $"{new ByteSize(bytes)} = {bytes:N0} B");

    private static string Weights(CheckpointInspection inspection)
    {
        var bits = inspection.BitsPerWeight is { } per ? string.Create(Culture, $", {per:0.0##} bits per parameter") : "";
        return Size(inspection.WeightBytes) + bits;
    }

    /// <summary>What the keys of special GGUF files say.</summary>
    private static IEnumerable<(string Label, string Text)> Special(CheckpointInspection inspection)
    {
        if (Arguments(inspection) is { Length: > 0 } arguments)
            yield return ("arguments", arguments);
        if (inspection.Checkpoint?.Gguf is not { } metadata)
            yield break;
        (string Key, string Label)[] keys =
        [
            ("adapter.type", "adapter"), ("adapter.lora.alpha", "LoRA alpha"), ("imatrix.datasets", "data sets"), ("imatrix.chunk_count", "chunks"), ("imatrix.chunk_size", "chunk size"),
            ("clip.projector_type", "projector"), ("controlvector.model_hint", "for"), ("controlvector.layer_count", "layers"),
        ];
        foreach (var (key, label) in keys)
        {
            if (metadata.Raw(key) is { } value)
                yield return (label, Value(value));
        }
    }

    /// <summary>The arguments of the model that a training script stored beside it.</summary>
    private static string Arguments(CheckpointInspection inspection)
    {
        const string prefix = "model_args.";
        return inspection.Checkpoint is { Format: CheckpointFormat.PyTorch } checkpoint
            ? string.Join(", ", checkpoint.Metadata.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{OneLine(pair.Key[prefix.Length..], 40)}={OneLine(pair.Value, 40)}"))
            : "";
    }

    private static string Tokenizer(TokenizerFacts tokenizer)
    {
        var parts = new List<string> { tokenizer.Kind };
        if (tokenizer.PreTokenizer is { } split)
            parts.Add($"pre-tokenizer {OneLine(split)}");
        if (tokenizer.VocabularySize is { } size)
            parts.Add(string.Create(Culture, $"{size:N0} tokens"));
        if (tokenizer.Merges is { } merges)
            parts.Add(string.Create(Culture, $"{merges:N0} merge{(merges == 1 ? "" : "s")}"));
        return $"{string.Join(", ", parts)} ({(tokenizer.ClassName is { } name && name != tokenizer.Kind ? $"{OneLine(name)}, " : "")}{tokenizer.Source})";
    }

    private static string Token(SpecialToken token) => $"{token.Role} {(token.Text is { } text ? OneLine(text, 40) : "")}{(token.Id is { } id ? $"{(token.Text is null ? "" : " ")}({id.ToString(Culture)})" : "")}";

    private static string MetadataLine(CheckpointInspection inspection, List<(string Key, string Value)> pairs)
    {
        if (inspection.Checkpoint?.Gguf is not null || pairs.Count > 3)
            return $"{Count(pairs.Count, "key")}; --metadata lists them";
        return string.Join(", ", pairs.Select(pair => $"{OneLine(pair.Key, 40)}={OneLine(pair.Value, 60)}"));
    }

    private static string Count(int count, string singular) => string.Create(Culture, $"{count:N0} {singular}{(count == 1 ? "" : "s")}");

    private static string Short(long count) => count switch
    {
        >= 1_000_000_000_000 => string.Create(Culture, $" ({count / 1e12:0.000} T)"),
        >= 1_000_000_000 => string.Create(Culture, $" ({count / 1e9:0.00} B)"),
        >= 1_000_000 => string.Create(Culture, $" ({count / 1e6:0.0} M)"),
        _ => "",
    };
}
