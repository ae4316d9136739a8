using System.CommandLine;
using Plimsoll.Cli.Calibrate;

namespace Plimsoll.Cli.Quantize;

/// <summary>The options of <c>plimsoll quantize</c>.</summary>
internal static class QuantizeOptions
{
    private const long SmallestFile = 1_000_000;

    public static readonly Argument<string> Model = new("MODEL") { Description = "a folder or file with the weights, or org/name whose weights are in the hub's cache" };
    public static readonly Option<string> To = new("--to") { Description = "gguf:q4_k_m, gguf with --target, gptq:4bit-g128, awq:4bit-g128, nf4, int8, fp8, ct:w4a16-g128, nvfp4, mxfp4, bf16 …", Required = true };
    public static readonly Option<string> Out = new("--output", "-o") { Description = "the .gguf file, or the folder, to write", Required = true };
    public static readonly Option<string> Method = new("--method") { Description = QuantizeMethod.Help, DefaultValueFactory = _ => "rtn" };
    public static readonly Option<string> Search = new("--search") { Description = "exact: llama.cpp's bytes; best: lower error in the same format", DefaultValueFactory = _ => "exact" };
    public static readonly Option<string?> Imatrix = new("--imatrix") { Description = "GGUF: an importance matrix of llama.cpp, GGUF or .dat" };
    public static readonly Option<string?> Calibration = new("--calibration") { Description = "the text that the method and --target learn from: a file in UTF-8, or self: text that the model writes", HelpName = "FILE" };
    public static readonly Option<string?> Target = new("--target") { Description = "--to gguf: types chosen from measurements, this many bits per weight together: 4.5bpw" };
    public static readonly Option<long?> TargetSize = OptionValues.Bytes("--target-size", "--to gguf: types chosen from measurements, in a file of at most this size", minimum: 1);
    public static readonly Option<string[]> TensorType = new("--tensor-type") { Description = "GGUF: REGEX=TYPE for tensors whose name the pattern is found in; the first that fits counts" };
    public static readonly Option<string?> OutputType = new("--output-type", "--output-tensor-type") { Description = "GGUF: the type of output.weight" };
    public static readonly Option<string?> EmbeddingType = new("--embedding-type", "--token-embedding-type") { Description = "GGUF: the type of token_embd.weight" };
    public static readonly Option<bool> Pure = new("--pure") { Description = "GGUF: the same type for every tensor that may be quantized" };
    public static readonly Option<long?> SplitSize = OptionValues.Bytes("--split-size", "GGUF: several files of at most this many bytes of tensors", SmallestFile);
    public static readonly Option<long?> ShardSize = OptionValues.Bytes("--shard-size", "safetensors: the most bytes of tensors in one file (5GB)", SmallestFile);
    public static readonly Option<int?> GroupSize = OptionValues.Count("--group-size", "safetensors: weights that share a scale, as -g128 in the format's name");
    public static readonly Option<bool> DoubleQuant = new("--double-quant") { Description = "nf4, fp4: the scales are quantized too" };
    public static readonly Option<int?> Threads = OptionValues.Count("--threads", "threads; one per processor when left out", maximum: 1024);
    public static readonly Option<bool> MemoryPlan = new("--memory-plan") { Description = "print peak memory, disk and time, and stop" };
    public static readonly Option<bool> Resume = new("--resume") { Description = "go on where an interrupted run of the same work ended" };
    public static readonly Option<bool> Force = new("--force") { Description = "replace an output that exists" };
    public static readonly Option<bool> Requantize = new("--requantize") { Description = "allow a source that is quantized already" };
    public static readonly Option<bool> AllowNonFinite = new("--allow-nonfinite") { Description = "read weights that are NaN or infinite as 0" };

    public static IReadOnlyList<Option> All =>
        [To, Out, Target, TargetSize, Method, Calibration, .. CalibrateOptions.Lengths, Search, Imatrix, TensorType, OutputType, EmbeddingType, Pure, SplitSize, ShardSize, GroupSize, DoubleQuant, Threads, MemoryPlan, Resume, Force, Requantize, AllowNonFinite];

    /// <summary>Options that only GGUF files have, and those that only folders of safetensors have.</summary>
    public static IReadOnlyList<Option> GgufOnly => [Target, TargetSize, Imatrix, TensorType, OutputType, EmbeddingType, Pure, SplitSize];

    public static IReadOnlyList<Option> FolderOnly => [ShardSize, GroupSize, DoubleQuant];
}
