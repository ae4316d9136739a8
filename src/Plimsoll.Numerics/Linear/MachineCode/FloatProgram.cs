namespace Plimsoll.Numerics.Linear.MachineCode;

/// <summary>The product of one column of inputs with weights that are floats of some width, (columns, 16), read once and widened in registers.</summary>
/// <remarks>.NET 10 has no intrinsic that widens FP16, and a tile in between costs more than the product.</remarks>
internal static unsafe class FloatProgram
{
    /// <summary>Columns at a time, each with sums of its own: a multiply-add takes four cycles, and one begins in each.</summary>
    public const int Together = 8;

    private const int Vector = 64;

    /// <summary>So far ahead of what it multiplies weights are fetched.</summary>
    private const int Ahead = 1024;

    /// <summary>The product with weights in FP32; null where the processor has no AVX-512.</summary>
    public static readonly void* Fp32 = Compile(sizeof(float), (assembler, target, source) => assembler.Load(target, source));

    /// <inheritdoc cref="Fp32"/>
    public static readonly void* Fp16 = Compile(sizeof(ushort), (assembler, target, source) => assembler.LoadHalves(target, source));

    /// <inheritdoc cref="Fp32"/>
    public static readonly void* Bf16 = Compile(sizeof(ushort), (assembler, target, source) => assembler.LoadUpperHalves(target, source));

    /// <summary>sums[r] += Σ_k weights[k][r] · inputs[k].</summary>
    /// <param name="length">Columns: a multiple of <see cref="Together"/>.</param>
    public static void Multiply(void* program, byte* weights, float* inputs, float* sums, int length) =>
        ((delegate* unmanaged[SuppressGCTransition]<byte*, float*, float*, nint, nint, nint, void>)program)(weights, inputs, sums, 0, 0, length / Together);

    private static void* Compile(int width, Action<Assembler, int, Memory> load)
    {
        if (!Processor.HasVnni512)
            return null;
        var (weights, inputs, sums) = (new Memory(Register.Argument0), new Memory(Register.Argument1), new Memory(Register.Argument2));
        var assembler = new Assembler();
        assembler.Load(0, sums);
        for (var k = 1; k < Together; k++)
            assembler.Clear(k);
        var start = assembler.Position;
        for (var k = 0; k < Together; k++)
        {
            load(assembler, Together + k, weights + k * Panel.Rows * width);
            assembler.AddProduct(k, Together + k, inputs + k * sizeof(float));
        }
        for (var line = 0; line < Together * Panel.Rows * width; line += Vector)
            assembler.Prefetch(weights + (Ahead + line));
        assembler.Add(weights.Base, Together * Panel.Rows * width);
        assembler.Add(inputs.Base, Together * sizeof(float));
        assembler.Repeat(Register.Argument5, start);
        for (var distance = Together / 2; distance > 0; distance /= 2)
        {
            for (var k = 0; k < distance; k++)
                assembler.Add(k, k, k + distance);
        }
        assembler.Store(sums, 0);
        assembler.ClearUpperHalves();
        assembler.Return();
        return ExecutableMemory.Place(assembler.Code);
    }
}
