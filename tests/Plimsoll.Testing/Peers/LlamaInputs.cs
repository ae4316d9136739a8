using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Plimsoll.Testing.Peers;

/// <summary>What llama.cpp v0.5.0 multiplies the matrices of a dense model with, seen through the callback that <c>llama-imatrix</c> uses.</summary>
public static unsafe class LlamaInputs
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, (double[] Squares, long Count)> Seen = [];

    /// <summary>Σ x² of each column and the number of inputs, by the name of the weight.</summary>
    /// <param name="chunks">Sequences that know nothing of each other.</param>
    public static IReadOnlyDictionary<string, (double[] Squares, long Count)> Collect(string path, IReadOnlyList<int[]> chunks)
    {
        lock (Gate)
        {
            LlamaCppPeer.Require();
            Seen.Clear();
            using var session = new LlamaSession(path, chunks.Max(chunk => chunk.Length), threads: 1, &Evaluated);
            foreach (var chunk in chunks)
            {
                session.Clear();
                session.ForwardAll(chunk);
            }
            return new Dictionary<string, (double[], long)>(Seen);
        }
    }

    /// <summary>Asked before, and told after, each operation of the graph.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte Evaluated(GgmlTensor* tensor, byte isQuestion, void* data)
    {
        var weight = tensor->Weight;
        var inputs = tensor->Inputs;
        if (weight == null || inputs == null || Name(weight) is not { } name || !name.StartsWith("blk.", StringComparison.Ordinal) || !name.EndsWith(".weight", StringComparison.Ordinal))
            return (byte)(isQuestion == 0 ? 1 : 0);
        // A product has as many columns as there are inputs; norms, which are multiplied by element, have weights of one dimension.
        if (weight->Elements[1] == 1 || isQuestion != 0)
            return (byte)(weight->Elements[1] == 1 ? 0 : 1);
        var columns = (int)inputs->Elements[0];
        if (!Seen.TryGetValue(name, out var sums))
            sums = (new double[columns], 0);
        for (var row = 0L; row < inputs->Elements[1]; row++)
        {
            var values = new ReadOnlySpan<float>(inputs->Data + row * inputs->Strides[1], columns);
            for (var column = 0; column < columns; column++)
                sums.Squares[column] += (double)values[column] * values[column];
        }
        Seen[name] = (sums.Squares, sums.Count + inputs->Elements[1]);
        return 1;
    }

    private static string? Name(GgmlTensor* tensor) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(tensor->Name));

    /// <summary><c>ggml_tensor</c> of ggml.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct GgmlTensor
    {
        public int Type;
        public void* Buffer;
        public fixed long Elements[4];
        public fixed long Strides[4];
        public int Operation;
        public fixed int Parameters[16];
        public int Flags;
        public GgmlTensor* Weight;
        public GgmlTensor* Inputs;
        public fixed long OtherSources[8];
        public void* ViewSource;
        public nuint ViewOffset;
        public byte* Data;
        public fixed byte Name[64];
    }
}
