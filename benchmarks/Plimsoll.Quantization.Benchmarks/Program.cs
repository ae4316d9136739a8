// Whole files, side by side with llama.cpp v0.5.0 on the same machine, file and threads; and a model to try things with.
//   dotnet run -c Release --project benchmarks/Plimsoll.Quantization.Benchmarks -- files [rounds]
//   dotnet run -c Release --project benchmarks/Plimsoll.Quantization.Benchmarks -- make small|large PATH.gguf
// The rounds take turns: ours, theirs, ours, theirs; medians count. Both read the source from the page cache and write to the same disk; only ours flushes it.
using System.Diagnostics;
using System.Globalization;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Benchmarks;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.Running;
using Plimsoll.Testing.Peers;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["make", "small" or "large", var path]:
        (args[1] == "small" ? SyntheticLlama.Small : SyntheticLlama.Large).Write(path);
        return 0;
    case ["files", .. var rest]:
        CompareFiles(rest is [var rounds] ? int.Parse(rounds, CultureInfo.InvariantCulture) : 5);
        return 0;
    default:
        Console.Error.WriteLine("files [rounds], or make small|large PATH.gguf");
        return 2;
}

static void CompareFiles(int rounds)
{
    var folder = Directory.CreateTempSubdirectory("plimsoll-quantize-").FullName;
    try
    {
        var source = Path.Combine(folder, "f16.gguf");
        SyntheticLlama.Small.Write(source);
        var threads = Environment.ProcessorCount;
        Console.WriteLine($"{new FileInfo(source).Length / 1e6:N0} MB of F16, {threads} threads, {rounds} rounds");
        Console.WriteLine();
        Console.WriteLine("| file type | plimsoll | llama.cpp | ratio | plimsoll reads | same bytes of tensors |");
        Console.WriteLine("|---|--:|--:|--:|--:|---|");
        foreach (var name in (string[])["q4_k_m", "q8_0", "q4_0", "q6_k"])
        {
            var (ours, theirs) = (Path.Combine(folder, "ours.gguf"), Path.Combine(folder, "theirs.gguf"));
            var (mine, other) = (new double[rounds], new double[rounds]);
            // One round of each goes before: code is compiled, pages are there.
            for (var round = -1; round < rounds; round++)
            {
                var seconds = (Time(() => Quantize(source, ours, name, threads)), Time(() => Llama.Quantize(source, theirs, GgufFileType.Find(name)!.Id, threads: threads)));
                if (round >= 0)
                    (mine[round], other[round]) = seconds;
            }
            var (ourMedian, theirMedian) = (Median(mine), Median(other));
            Console.WriteLine($"| {name} | {ourMedian:0.000} s | {theirMedian:0.000} s | {theirMedian / ourMedian:0.0}× | {new FileInfo(source).Length / ourMedian / 1e9:0.00} GB/s | {(SameTensors(ours, theirs) ? "yes" : "no")} |");
        }
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}

static void Quantize(string source, string target, string fileType, int threads)
{
    var plan = GgufConversion.Plan(ModelLocator.FromPath(source), new() { FileName = Path.GetFileName(target), FileType = GgufFileType.Find(fileType)! });
    QuantizationRunner.Run(plan, new() { Target = target, Recipe = fileType, SourceFiles = [source], Threads = threads, Replace = true }, CancellationToken.None);
}

static double Time(Action action)
{
    var clock = Stopwatch.StartNew();
    action();
    return clock.Elapsed.TotalSeconds;
}

static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

static bool SameTensors(string left, string right)
{
    var (mine, others) = (Plimsoll.Checkpoints.Checkpoint.Open(left), Plimsoll.Checkpoints.Checkpoint.Open(right).Tensors.ToDictionary(tensor => tensor.Name));
    using var ours = File.OpenHandle(left);
    using var theirs = File.OpenHandle(right);
    return mine.Tensors.All(tensor =>
    {
        var other = others[tensor.Name];
        var (first, second) = (new byte[tensor.Bytes], new byte[tensor.Bytes]);
        RandomAccess.Read(ours, first, tensor.Offset);
        RandomAccess.Read(theirs, second, other.Offset);
        return tensor.Format == other.Format && first.AsSpan().SequenceEqual(second);
    });
}
