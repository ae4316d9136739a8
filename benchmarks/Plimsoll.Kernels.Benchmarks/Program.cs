using System.Diagnostics;
using Plimsoll.Kernels.Benchmarks;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Benchmarks;
using Plimsoll.Numerics.Linear;

// Products from packed weights against ggml's, round by round in turn: with one thread its processor time, medians of the rounds; with more the wall
// clock, the best of the rounds, since whatever else runs on the machine only adds to it.
//   dotnet run -c Release --project benchmarks/Plimsoll.Kernels.Benchmarks -- LIBRARIES [FORMAT[,FORMAT…]] [ROUNDS] [THREADS[,THREADS…]]
// LIBRARIES is the folder with libggml.v0.5.0.so (npm package @node-llama-cpp/linux-x64 3.22.1, package/bins/linux-x64).

const int Size = 4096;
const int Prompt = 512;
const long BytesInTurn = 192L << 20;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: LIBRARIES [FORMAT[,FORMAT…]] [ROUNDS] [THREADS[,THREADS…]]");
    return 2;
}
Ggml.Load(args[0]);
var formats = args.Length > 1 && args[1] != "all"
    ? args[1].Split(',').Select(name => NumberFormats.Find(name)!).ToArray()
    : [.. NumberFormats.All.Where(format => format.GgmlType is not null && PackedMatrices.Supports(format))];
var rounds = args.Length > 2 ? int.Parse(args[2]) : 7;

var threadCounts = args.Length > 3 ? args[3].Split(',').Select(int.Parse).ToArray() : [1, 2];

foreach (var threads in threadCounts)
{
    var bandwidth = ReadBandwidth.Measure(threads);
    Console.WriteLine($"\n{threads} thread{(threads == 1 ? "" : "s")}; memory is read at {bandwidth / 1e9:F1} GB/s\n");
    Console.WriteLine("| format | one column: GB/s | ggml | ratio | of bandwidth | 512 columns: GOP/s | ggml | ratio | differs |");
    Console.WriteLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    foreach (var format in formats)
    {
        var vector = Compare(format, new Workload(format, Size, Size, 1, BytesInTurn), threads, rounds);
        var matrix = Compare(format, new Workload(format, Size, Size, Prompt, 0), threads, Math.Max(3, rounds / 2));
        Console.WriteLine(
            $"| {format} | {vector.Workload.BytesPerRound / vector.Ours / 1e9:F1} | {vector.Workload.BytesPerRound / vector.Theirs / 1e9:F1} | {vector.Theirs / vector.Ours:F2} "
            + $"| {vector.Workload.BytesPerRound / vector.Ours / bandwidth:P0} | {matrix.Workload.OperationsPerRound / matrix.Ours / 1e9:F0} "
            + $"| {matrix.Workload.OperationsPerRound / matrix.Theirs / 1e9:F0} | {matrix.Theirs / matrix.Ours:F2} | {vector.Difference:E1} |");
    }
}
return 0;

// Seconds of a round, medians; the difference is that of the outputs, root mean square, relative to their size.
static (double Ours, double Theirs, double Difference, Workload Workload) Compare(NumberFormat format, Workload workload, int threads, int rounds)
{
    using var ours = new OurProducts(format, workload, threads);
    using var theirs = new GgmlProducts(format, workload, threads);
    var (our, their) = (new double[rounds], new double[rounds]);
    ours.Run();
    theirs.Run();
    for (var round = 0; round < rounds; round++)
    {
        our[round] = Seconds(ours.Run, threads);
        their[round] = Seconds(theirs.Run, threads);
    }
    var reference = new float[workload.Rows];
    theirs.Read(reference);
    var difference = Math.Sqrt(reference.Select((value, i) => Square(value - ours.Outputs[i])).Sum() / reference.Sum(value => Square(value)));
    return threads == 1 ? (Median(our), Median(their), difference, workload) : (our.Min(), their.Min(), difference, workload);
}

static double Square(double value) => value * value;

static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

static double Seconds(Action run, int threads)
{
    if (threads == 1)
    {
        var before = ThreadClock.Seconds();
        run();
        return ThreadClock.Seconds() - before;
    }
    var start = Stopwatch.GetTimestamp();
    run();
    return Stopwatch.GetElapsedTime(start).TotalSeconds;
}
