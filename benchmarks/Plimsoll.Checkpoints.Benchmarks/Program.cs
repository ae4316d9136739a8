// Opens huge sparse checkpoints and prints what that cost. One format per process, because the first call is what a command-line user waits for.
//   dotnet run -c Release --project benchmarks/Plimsoll.Checkpoints.Benchmarks -- [safetensors|gguf|pytorch]
// The files hold headers and holes: 500 tensors each, 60 GB claimed, a few kilobytes on disk.
// Loads vocabularies and encodes a text with them, side by side with llama.cpp v0.5.0. Prints a Markdown table.
//   dotnet run -c Release --project benchmarks/Plimsoll.Checkpoints.Benchmarks -- tokenizers TEXT FILE.gguf [FILE.gguf …]
using System.Diagnostics;
using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["tokenizers", var text, ..])
{
    TokenizerSpeed.WriteHeader();
    foreach (var vocabulary in args[2..])
        TokenizerSpeed.Run(vocabulary, File.ReadAllText(text));
    return 0;
}
var format = args.Length > 0 ? args[0] : "safetensors";
var path = Path.Combine(Path.GetTempPath(), $"plimsoll-sparse-{Environment.ProcessId}.{format}");
try
{
    using (var file = File.Create(path))
    {
        switch (format)
        {
            case "safetensors": SparseFiles.WriteSafetensors(file); break;
            case "gguf": SparseFiles.WriteGguf(file); break;
            case "pytorch": SparseFiles.WritePyTorch(file); break;
            default:
                Console.Error.WriteLine("one of safetensors, gguf, pytorch");
                return 2;
        }
    }
    var allocated = GC.GetTotalAllocatedBytes();
    var clock = Stopwatch.StartNew();
    var checkpoint = Checkpoint.Open(path);
    var first = clock.Elapsed.TotalMilliseconds;
    allocated = GC.GetTotalAllocatedBytes() - allocated;
    clock.Restart();
    for (var round = 0; round < 20; round++)
        Checkpoint.Open(path);
    var warm = clock.Elapsed.TotalMilliseconds / 20;
    using var process = Process.GetCurrentProcess();
    Console.WriteLine($"{format}: {checkpoint.Tensors.Length} tensors, {checkpoint.StoredBytes / 1e9:0.0} GB, first open {first:0.0} ms, later {warm:0.0} ms, "
        + $"{allocated / 1024:N0} KiB allocated, process peak {process.PeakWorkingSet64 / 1e6:0.0} MB");
    return 0;
}
finally
{
    File.Delete(path);
}
