using System.CommandLine;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Cli.Calibrate;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Importance;

namespace Plimsoll.Cli.Quantize;

/// <summary>What <c>--to</c> and the options around it ask for: one of the two recipes.</summary>
internal sealed record QuantizeTarget
{
    private const string GgufPrefix = "gguf:";

    public GgufRecipe? Gguf { get; private init; }

    public HuggingFaceRecipe? HuggingFace { get; private init; }

    /// <summary>The format in its full name: <c>gguf:q4_k_m</c>.</summary>
    public required string Format { get; init; }

    /// <exception cref="CliException">There is no such format, or an option does not go with it.</exception>
    /// <exception cref="Quantization.QuantizationRefusedException">A tensor type is unknown.</exception>
    public static QuantizeTarget Read(ParseResult parsed)
    {
        var text = parsed.GetValue(QuantizeOptions.To)!.Trim().ToLowerInvariant();
        var method = QuantizeMethod.Read(parsed);
        var search = parsed.GetValue(QuantizeOptions.Search) switch
        {
            "exact" => BlockSearch.Exact,
            "best" => BlockSearch.Best,
            var other => throw CliException.WrongUsage($"unknown search '{other}'", "exact writes llama.cpp's bytes; best finds a lower error in the same format"),
        };
        var output = parsed.GetValue(QuantizeOptions.Out)!;
        var isGgufFile = output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        if (FileType(text, isGgufFile) is { } fileType)
        {
            Refuse(parsed, QuantizeOptions.FolderOnly, "a GGUF file");
            if (!isGgufFile)
                throw CliException.WrongUsage($"gguf:{fileType.Name} is written to a file, and '{output}' does not end in .gguf", $"-o {Path.Combine(output, $"model-{fileType.Name}.gguf")}");
            method.CheckGguf(GgufPrefix + fileType.Name);
            return new() { Format = GgufPrefix + fileType.Name, Method = method, Calibration = parsed.GetValue(QuantizeOptions.Calibration), Gguf = ReadGguf(parsed, fileType, Path.GetFileName(output), search) };
        }
        var recipe = HuggingFaceRecipe.Find(WithOptions(text, parsed)) ?? throw Unknown(text);
        method.Check(recipe);
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
                Method = method.Layers,
            },
        };
    }

    /// <summary>How the numbers of the format are chosen.</summary>
    public required QuantizeMethod Method { get; init; }

    /// <summary>The text that the method learns from, or <c>self</c>; null where it needs none.</summary>
    public string? Calibration { get; private init; }

    /// <summary>This target with what a text has shown: which columns matter, and how their errors make up for each other.</summary>
    public QuantizeTarget With(CalibratedRecipe calibrated) => this with { Gguf = Gguf! with { Importance = calibrated.Importance, Feedback = calibrated.Feedback }, CalibrationDigest = calibrated.Digest };

    /// <summary>This target with what a text has shown of its layers.</summary>
    public QuantizeTarget With(CalibratedInputs inputs, CalibrationText text) => this with { HuggingFace = HuggingFace! with { Inputs = inputs }, CalibrationDigest = text.Digest };

    private string? CalibrationDigest { get; init; }

    private static string Version => typeof(QuantizeTarget).Assembly.GetName().Version!.ToString(3);

    /// <summary>Everything that changes bytes and cannot be seen in headers, for the journal of the run.</summary>
    public string Recipe => $"plimsoll {Version} {Format} {Method.Name} {Gguf?.Search} {Gguf?.Importance?.File} {CalibrationDigest}";

    /// <summary>A file type where the name says GGUF, or where no folder of safetensors has that name, or where the output is a GGUF file.</summary>
    private static GgufFileType? FileType(string text, bool isGgufFile)
    {
        if (text.StartsWith(GgufPrefix, StringComparison.Ordinal))
            return GgufFileType.Find(text[GgufPrefix.Length..]) ?? throw Unknown(text);
        return GgufFileType.Find(text) is { } type && (isGgufFile || HuggingFaceRecipe.Find(text) is null) ? type : null;
    }

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

    private static CliException Unknown(string text)
    {
        var asked = text.StartsWith(GgufPrefix, StringComparison.Ordinal) ? text[GgufPrefix.Length..] : text;
        var near = ClosestNames.Find(text, HuggingFaceRecipe.Names).Concat(ClosestNames.Find(asked, GgufFileType.All.Select(type => type.Name)).Select(name => GgufPrefix + name)).Take(4).ToList();
        return CliException.WrongUsage($"unknown format '{text}'", near.Count > 0 ? $"did you mean {string.Join(" or ", near)}?" : $"some of them: gguf:q4_k_m, {string.Join(", ", HuggingFaceRecipe.Names.Take(8))}");
    }
}
