// Decoding and prefill of half of a 1B-shaped model, side by side with llama.cpp v0.5.0. Prints a Markdown table.
//   dotnet run -c Release --project benchmarks/Plimsoll.Runtime.Benchmarks -- speed FOLDER [FORMAT …]
//   dotnet run -c Release --project benchmarks/Plimsoll.Runtime.Benchmarks -- write FOLDER [FORMAT …]     (only the models)
using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Runtime.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length < 2 || args[0] is not ("speed" or "write"))
{
    Console.Error.WriteLine("usage: speed|write FOLDER [FORMAT …], FOLDER for models of up to 3 GB");
    return 2;
}
string[] names = args.Length > 2 ? args[2..] : ["Q4_0", "Q8_0", "Q4_K", "Q5_K", "Q6_K"];
var folder = Directory.CreateDirectory(args[1]).FullName;
if (args[0] == "speed")
    SpeedComparison.WriteHeader();
foreach (var name in names)
{
    var format = NumberFormats.Find(name) ?? throw new ArgumentException($"no format {name}");
    var path = Path.Combine(folder, $"synthetic-{format.Name.ToLowerInvariant()}.gguf");
    if (!File.Exists(path))
        SyntheticModel.Write(path, format, layers: 8);
    if (args[0] == "speed")
        SpeedComparison.Run(path, format);
}
return 0;
