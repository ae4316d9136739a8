using System.CommandLine;
using Plimsoll.Cli.Quantize;
using Plimsoll.Models;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Quantization;
using Plimsoll.Quantization.Rounding;

namespace Plimsoll.Cli.Train;

/// <summary>The format of quantization-aware training, judged before anything is loaded.</summary>
internal static class TrainFormat
{
    private const string Method = "qat";

    /// <summary>The format that training is aware of; null for other methods.</summary>
    /// <exception cref="CliException">The options contradict each other, or the output is there already.</exception>
    public static QuantizationJob? Read(ParseResult parsed)
    {
        var (isAware, format) = (parsed.GetValue(TrainOptions.Method) == Method, parsed.GetValue(TrainOptions.To)?.Trim().ToLowerInvariant());
        if (!isAware && format is not null)
            throw CliException.WrongUsage($"--to is the format of --method {Method}, and the method is {parsed.GetValue(TrainOptions.Method)}", $"--method {Method}, or 'plimsoll quantize OUT --to {format}' behind the training");
        if (!isAware && parsed.GetValue(TrainOptions.NoDistill))
            throw CliException.WrongUsage($"--no-distill is for --method {Method}; other methods learn the text itself");
        if (!isAware)
            return null;
        if (format is null)
            throw CliException.WrongUsage($"--method {Method} trains for a format, and none is named", "--to q4_0, --to gguf:q2_k, --to ct:w4a16-g128");
        var output = parsed.GetValue(TrainOptions.Output)!;
        var isGgufFile = output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        var recipe = FormatRecipe.Find(format, isGgufFile) ?? throw QuantizeTarget.Unknown(format);
        if (recipe.Gguf is not null && !isGgufFile)
            throw CliException.WrongUsage($"{recipe.Name} is written to a file, and '{output}' does not end in .gguf", $"-o {output}.gguf");
        if (recipe.HuggingFace is not null && isGgufFile)
            throw CliException.WrongUsage($"{recipe.Name} is a folder of safetensors, and '{output}' is named like a GGUF file", $"-o {Path.ChangeExtension(output, null)}");
        if (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any()))
            throw CliException.WrongUsage($"{output} exists", "-o takes a new name, so that nothing is lost");
        return new(recipe.Name, !parsed.GetValue(TrainOptions.NoDistill));
    }

    /// <summary>Refuses what cannot be written, or cannot be trained for.</summary>
    /// <exception cref="CliException">The model cannot be had in the format.</exception>
    public static void Check(TrainingJob job, LocatedModel model)
    {
        if (model.IsGguf)
            throw CliException.WrongUsage($"{job.Model} is a GGUF file, and quantization-aware training begins with the original weights", "name the folder with config.json and safetensors");
        try
        {
            ModelRounding.Of(FormatRecipe.Find(job.Quantization!.Format, isGgufFile: false)!.Plan(model, job.Output));
        }
        catch (QuantizationRefusedException refused)
        {
            throw CliException.WrongUsage(refused.Message);
        }
    }
}
