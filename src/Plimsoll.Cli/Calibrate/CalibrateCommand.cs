using System.CommandLine;
using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Quantization;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.Importance;

namespace Plimsoll.Cli.Calibrate;

/// <summary><c>plimsoll calibrate MODEL --text FILE -o OUT</c>: how much each input of each layer matters, for quantization.</summary>
internal static class CalibrateCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "a folder or file with the weights, or demo" };
    private static readonly Option<string> Out = new("--output", "-o") { Description = "the importance matrix to write: GGUF, or llama.cpp's older format where the name ends in .dat", Required = true };

    private static readonly Option<int?> Threads = OptionValues.Count("--threads", "threads; one per processor when left out", maximum: 1024);

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command("calibrate", """
            Runs a text through the model and writes its importance matrix, in the formats of llama.cpp: the squares of what each column of each matrix
            is multiplied with. 'plimsoll quantize --imatrix' and llama-quantize read it. Tensors have llama.cpp's names, also those of a folder.

            Examples:
              plimsoll calibrate ./Qwen3-0.6B --text sample.txt -o imatrix.gguf
              plimsoll calibrate model-f16.gguf --text sample.txt --chunks 40 -o imatrix.dat
              plimsoll calibrate model-f16.gguf --text self -o imatrix.gguf
            """)
        {
            Model, CalibrateOptions.Text, Out, Threads,
        };
        foreach (var option in CalibrateOptions.Lengths)
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        var output = parsed.GetValue(Out)!;
        if (Path.GetDirectoryName(Path.GetFullPath(output)) is { } folder && !Directory.Exists(folder))
            throw CliException.BadInput($"{folder}: no such folder", "make it first, or name another output");
        try
        {
            using var run = CalibrationRun.Load(parsed.GetValue(Model)!, parsed.GetValue(CalibrateOptions.Text)!, parsed.GetValue(Threads) ?? environment.Processors, parsed, environment);
            var tensors = run.Collect(keepGrams: false);
            var matrix = tensors.ToImportance(run.Text);
            ImportanceFile.Write(output, matrix);
            if (parsed.GetValue(GlobalOptions.Json))
                Write(terminal.Out, output, matrix, run.Text);
            else
                Describe(terminal.Out, output, matrix);
        }
        catch (QuantizationRefusedException refused)
        {
            throw CliException.BadInput(refused.Message);
        }
        return ExitCode.Yes;
    }

    private static void Describe(TextWriter output, string path, ImportanceMatrix matrix)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {matrix.Entries.Length} tensors, {matrix.Chunks} chunks of {matrix.ChunkSize} tokens, {new ByteSize(new FileInfo(path).Length)}"));
        foreach (var entry in matrix.Entries.Where(entry => entry.Counts.Contains(0)))
            output.WriteLine($"  {entry.Name}: no token was routed to expert {string.Join(", ", Unseen(entry))}; their columns count alike");
    }

    private static void Write(TextWriter output, string path, ImportanceMatrix matrix, CalibrationText text) => JsonOutput.Write(output, "plimsoll.calibration/1", json =>
    {
        json.WriteString("output", path);
        json.WriteString("text", text.Name);
        json.WriteNumber("chunks", text.Chunks);
        json.WriteNumber("context", text.Context);
        json.WriteArray("tensors", matrix.Entries, entry =>
        {
            json.WriteStartObject();
            json.WriteString("name", entry.Name);
            json.WriteNumber("columns", entry.Columns);
            json.WriteNumber("inputs", entry.Counts.Sum());
            json.WriteArray("unseen_experts", Unseen(entry), json.WriteNumberValue);
            json.WriteEndObject();
        });
    });

    private static IEnumerable<int> Unseen(ImportanceEntry entry) => Enumerable.Range(0, entry.Counts.Length).Where(expert => entry.Counts[expert] == 0);
}
