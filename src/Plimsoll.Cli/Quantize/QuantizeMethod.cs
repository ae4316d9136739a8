using System.CommandLine;
using Plimsoll.Cli.Calibrate;
using Plimsoll.Cli.Quantize.Sizing;
using Plimsoll.Quantization.HuggingFace;

namespace Plimsoll.Cli.Quantize;

/// <summary>A value of <c>--method</c>: how the numbers of a format are chosen.</summary>
/// <param name="What">What it does, in a few words.</param>
/// <param name="LearnsFromText">Whether it needs <c>--calibration</c>.</param>
/// <param name="ForGguf">Whether it applies to GGUF files.</param>
/// <param name="Layers">The same for the layers of folders of safetensors.</param>
internal sealed record QuantizeMethod(string Name, string What, bool LearnsFromText, bool ForGguf, LayerMethod Layers)
{
    public static readonly QuantizeMethod Rtn = new("rtn", "round to nearest, without data", LearnsFromText: false, ForGguf: true, LayerMethod.Nearest);
    public static readonly QuantizeMethod Gptq = new("gptq", "errors make up for each other", LearnsFromText: true, ForGguf: true, LayerMethod.Gptq);
    public static readonly QuantizeMethod Awq = new("awq", "columns rescaled, ranges cut", LearnsFromText: true, ForGguf: false, LayerMethod.Awq);
    public static readonly QuantizeMethod AwqGptq = new("awq-gptq", "columns rescaled, then gptq", LearnsFromText: true, ForGguf: false, LayerMethod.AwqGptq);

    public static readonly QuantizeMethod SmoothQuant = new("smoothquant", "outliers moved from activations to weights, ct:w8a8", LearnsFromText: true, ForGguf: false, LayerMethod.SmoothQuant);

    private static IReadOnlyList<QuantizeMethod> All => [Rtn, Gptq, Awq, AwqGptq, SmoothQuant];

    /// <summary>All of them, for help.</summary>
    public static string Help => string.Join("; ", All.Select(method => $"{method.Name}: {method.What}"));

    /// <param name="goal">The size that types are chosen for, which needs a text too; null for none.</param>
    /// <exception cref="CliException">There is no such method, or an option does not go with it.</exception>
    public static QuantizeMethod Read(ParseResult parsed, SizeGoal? goal)
    {
        var name = parsed.GetValue(QuantizeOptions.Method)!.Trim().ToLowerInvariant();
        var method = All.FirstOrDefault(each => each.Name == name) ?? throw CliException.WrongUsage($"unknown method '{name}'", Help);
        var calibration = parsed.GetValue(QuantizeOptions.Calibration);
        if (method.LearnsFromText && calibration is null)
            throw CliException.WrongUsage($"--method {name} learns from a text, and there is none", "--calibration FILE, or --calibration self for text that the model writes");
        if (goal is not null && calibration is null)
            throw CliException.WrongUsage($"{goal} measures the tensors on a text, and there is none", "--calibration FILE, or --calibration self for text that the model writes");
        if (!method.LearnsFromText && goal is null && calibration is not null)
            throw CliException.WrongUsage($"--calibration is for {Learning} and --target, and the method is {name}", "add one of them; for an importance matrix alone: 'plimsoll calibrate' and --imatrix");
        if (calibration is null && CalibrateOptions.Lengths.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } length)
            throw CliException.WrongUsage($"{length.Name} cuts the text of --calibration, and there is none", length.Description);
        if (calibration is not null && parsed.GetValue(QuantizeOptions.Imatrix) is not null)
            throw CliException.WrongUsage("--calibration makes an importance matrix of its own", "leave --imatrix out");
        return method;
    }

    /// <exception cref="CliException">The format's numbers cannot be chosen so.</exception>
    public void CheckGguf(string format)
    {
        if (!ForGguf)
            throw CliException.WrongUsage($"--method {Name} is for the integers of folders of safetensors, and {format} has blocks of its own", $"for GGUF files: {string.Join(", ", All.Where(method => method.ForGguf).Select(method => method.Name))}");
    }

    /// <inheritdoc cref="CheckGguf"/>
    public HuggingFaceRecipe Apply(HuggingFaceRecipe recipe)
    {
        recipe = recipe with { Method = Layers };
        if (recipe.MethodObstacle is { } obstacle)
            throw CliException.WrongUsage($"--method {Name} does not apply because {obstacle}", Layers == LayerMethod.SmoothQuant ? "--to ct:w8a8" : "leave --method out, or take gptq:4bit-g128, awq:4bit-g128 or ct:w4a16-g128");
        return recipe;
    }

    private static string Learning => string.Join(", ", All.Where(method => method.LearnsFromText).Select(method => $"--method {method.Name}"));
}
