using System.CommandLine;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Cli.Calibrate;
using Plimsoll.Cli.Quantize.Sizing;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Quantization;
using Plimsoll.Quantization.Allocation;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.Calibration.Sequential;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Importance;

namespace Plimsoll.Cli.Quantize;

/// <summary>What <c>--to</c> and the options around it ask for: one of the two recipes.</summary>
internal sealed record QuantizeTarget
{
    private const string AnyGguf = "gguf";

    public GgufRecipe? Gguf { get; private init; }

    public HuggingFaceRecipe? HuggingFace { get; private init; }

    /// <summary>The format in its full name: <c>gguf:q4_k_m</c>.</summary>
    public required string Format { get; init; }

    /// <exception cref="CliException">There is no such format, or an option does not go with it.</exception>
    /// <exception cref="Quantization.QuantizationRefusedException">A tensor type is unknown.</exception>
    public static QuantizeTarget Read(ParseResult parsed)
    {
        var text = parsed.GetValue(QuantizeOptions.To)!.Trim().ToLowerInvariant();
        var goal = SizeGoal.Read(parsed);
        var method = QuantizeMethod.Read(parsed, goal);
        var search = parsed.GetValue(QuantizeOptions.Search) switch
        {
            "exact" => BlockSearch.Exact,
            "best" => BlockSearch.Best,
            var other => throw CliException.WrongUsage($"unknown search '{other}'", "exact writes llama.cpp's bytes; best finds a lower error in the same format"),
        };
        var output = parsed.GetValue(QuantizeOptions.Out)!;
        var isGgufFile = output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        if (goal is not null && text != AnyGguf)
            throw CliException.WrongUsage($"{goal} chooses the types itself, and {text} names them", "--to gguf");
        if (goal is null && text == AnyGguf)
            throw CliException.WrongUsage("--to gguf says neither types nor size", "--to gguf:q4_k_m, or --target 4.5bpw with --calibration FILE");
        if ((goal is null ? FormatRecipe.FileType(text, isGgufFile) : GgufFileType.Find("f16")) is { } fileType)
        {
            Refuse(parsed, QuantizeOptions.FolderOnly, "a GGUF file");
            if (!isGgufFile)
                throw CliException.WrongUsage($"gguf:{fileType.Name} is written to a file, and '{output}' does not end in .gguf", $"-o {Path.Combine(output, $"model-{fileType.Name}.gguf")}");
            method.CheckGguf(FormatRecipe.GgufPrefix + fileType.Name);
            if (goal is not null)
                Refuse(parsed, [QuantizeOptions.Pure], "types that are chosen one by one");
            return new()
            {
                Format = goal is null ? FormatRecipe.GgufPrefix + fileType.Name : $"{AnyGguf} {goal}",
                Method = method,
                Calibration = parsed.GetValue(QuantizeOptions.Calibration),
                Goal = goal,
                Gguf = ReadGguf(parsed, fileType, Path.GetFileName(output), search) with { Target = goal?.ToString() },
            };
        }
        var recipe = HuggingFaceRecipe.Find(WithOptions(text, parsed)) ?? throw Unknown(text);
        recipe = method.Apply(recipe);
        Refuse(parsed, QuantizeOptions.GgufOnly, recipe.Precision);
        if (search == BlockSearch.Best)
            throw CliException.WrongUsage($"--search best is for GGUF files; {recipe.Precision} is rounded to nearest", "leave --search out");
        if (isGgufFile)
            throw CliException.WrongUsage($"{recipe.Precision} is a folder of safetensors, and '{output}' is named like a GGUF file", $"-o {Path.ChangeExtension(output, null)}");
        return new()
        {
            Format = recipe.Precision,
            Method = method,
            Calibration = parsed.GetValue(QuantizeOptions.Calibration),
            HuggingFace = recipe with
            {
                MaxShardBytes = parsed.GetValue(QuantizeOptions.ShardSize) ?? recipe.MaxShardBytes,
                AllowRequantize = parsed.GetValue(QuantizeOptions.Requantize),
            },
        };
    }

    /// <summary>How the numbers of the format are chosen.</summary>
    public required QuantizeMethod Method { get; init; }

    /// <summary>The text to learn from, or <c>self</c>; null where none is needed.</summary>
    public string? Calibration { get; private init; }

    /// <summary>The size that types are chosen for; null where the file type is given.</summary>
    public SizeGoal? Goal { get; private init; }

    /// <summary>This target with a type for each tensor; the file type is that of most weights.</summary>
    public QuantizeTarget With(GgufAllocation allocation)
    {
        var most = allocation.Tensors.GroupBy(tensor => tensor.Type).MaxBy(type => type.Sum(tensor => tensor.Weights))!.Key;
        return this with { Gguf = Gguf! with { FileType = GgufFileType.All.First(type => type.DefaultType == most), Allocated = allocation.Types } };
    }

    /// <summary>This target with the types of a mixture, written to another file.</summary>
    public QuantizeTarget With(GgufFileType type, string fileName) => this with { Gguf = Gguf! with { FileType = type, FileName = fileName, Allocated = null, Target = null } };

    /// <summary>This target with what a text has shown: which columns matter, and how their errors make up for each other.</summary>
    public QuantizeTarget With(CalibratedRecipe calibrated) => this with { Gguf = Gguf! with { Importance = calibrated.Importance, Feedback = calibrated.Feedback }, CalibrationDigest = calibrated.Digest };

    /// <summary>This target, rounded layer after layer while a text goes through them.</summary>
    public QuantizeTarget With(SequentialCalibration calibration) => this with { Gguf = Gguf! with { Sequential = calibration }, CalibrationDigest = calibration.Text.Digest };

    /// <summary>This target with what a text has shown of its layers.</summary>
    public QuantizeTarget With(HuggingFaceRecipe calibrated, CalibrationText text) => this with { HuggingFace = calibrated, CalibrationDigest = text.Digest };

    private string? CalibrationDigest { get; init; }

    private static string Version => typeof(QuantizeTarget).Assembly.GetName().Version!.ToString(3);

    /// <summary>Everything that changes bytes and cannot be seen in headers, for the journal of the run.</summary>
    public string Recipe => $"plimsoll {Version} {Format} {Method.Name} {Gguf?.Search} {Gguf?.Importance?.File} {CalibrationDigest}";

    private static GgufRecipe ReadGguf(ParseResult parsed, GgufFileType fileType, string fileName, BlockSearch search) => new()
    {
        FileName = fileName,
        FileType = fileType,
        Overrides = [.. (parsed.GetValue(QuantizeOptions.TensorType) ?? []).Select(GgufTypeOverride.Parse)],
        Pure = parsed.GetValue(QuantizeOptions.Pure),
        OutputType = Type(parsed.GetValue(QuantizeOptions.OutputType)),
        EmbeddingType = Type(parsed.GetValue(QuantizeOptions.EmbeddingType)),
        SplitBytes = parsed.GetValue(QuantizeOptions.SplitSize),
        Importance = parsed.GetValue(QuantizeOptions.Imatrix) is { } path ? ReadImportance(path) : null,
        AllowRequantize = parsed.GetValue(QuantizeOptions.Requantize),
        Search = search,
    };

    private static NumberFormat? Type(string? name) => name is null ? null : GgufTypeOverride.ParseType(name);

    private static GgufImportance ReadImportance(string path)
    {
        if (!File.Exists(path))
            throw CliException.BadInput($"{path}: no such file", "'plimsoll calibrate' and llama-imatrix make importance matrices");
        var matrix = ImportanceFile.Read(path);
        return new(path, matrix.Datasets.FirstOrDefault(), matrix.Chunks, matrix.Entries.ToDictionary(entry => entry.Name, entry => (ReadOnlyMemory<float>)entry.MeanSquares(), StringComparer.Ordinal));
    }

    /// <summary>The name with what options add to it: <c>gptq:4bit</c> and <c>--group-size 32</c> are <c>gptq:4bit-g32</c>.</summary>
    private static string WithOptions(string text, ParseResult parsed)
    {
        var name = text;
        if (parsed.GetValue(QuantizeOptions.GroupSize) is { } group)
            name = name.Contains("-g", StringComparison.Ordinal) ? throw CliException.WrongUsage($"'{text}' names a group size already", "leave out --group-size") : $"{name}-g{group}";
        return parsed.GetValue(QuantizeOptions.DoubleQuant) && !name.EndsWith("-dq", StringComparison.Ordinal) ? $"{name}-dq" : name;
    }

    private static void Refuse(ParseResult parsed, IEnumerable<Option> options, string target)
    {
        if (options.FirstOrDefault(option => IsGiven(parsed, option)) is { } stray)
            throw CliException.WrongUsage($"{stray.Name} does not apply to {target}", stray.Description);
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>There is no format of that name; names that are near.</summary>
    public static CliException Unknown(string text)
    {
        var asked = text.StartsWith(FormatRecipe.GgufPrefix, StringComparison.Ordinal) ? text[FormatRecipe.GgufPrefix.Length..] : text;
        var near = ClosestNames.Find(text, HuggingFaceRecipe.Names).Concat(ClosestNames.Find(asked, GgufFileType.All.Select(type => type.Name)).Select(name => FormatRecipe.GgufPrefix + name)).Take(4).ToList();
        return CliException.WrongUsage($"unknown format '{text}'", near.Count > 0 ? $"did you mean {string.Join(" or ", near)}?" : $"some of them: gguf:q4_k_m, {string.Join(", ", HuggingFaceRecipe.Names.Take(8))}");
    }
}
