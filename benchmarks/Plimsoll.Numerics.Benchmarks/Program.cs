// What the number formats cost, side by side with ggml, on one thread. Prints a Markdown table.
//   dotnet run -c Release --project benchmarks/Plimsoll.Numerics.Benchmarks -- encode|decode|casts [FOLDER of libggml-base.so] [FORMAT …]
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Plimsoll.Numerics.Benchmarks;
using Plimsoll.Testing.Peers;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length < 2 || args[0] is not ("encode" or "decode" or "casts"))
{
    Console.Error.WriteLine("usage: encode|decode|casts FOLDER [FORMAT …], FOLDER with libggml-base.so of llama.cpp");
    return 2;
}
Console.WriteLine($"Vectors of {(Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128)} bits{(Avx2.IsSupported ? "" : ", no AVX2")}.");
Console.WriteLine();
var ggml = Ggml.Load(args[1]);
switch (args[0])
{
    case "encode": BlockBenchmarks.Encode(ggml, args[2..]); break;
    case "decode": BlockBenchmarks.Decode(ggml, args[2..]); break;
    case "casts": CastBenchmarks.Run(ggml); break;
}
return 0;
