using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Quantization.Allocation;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Cli.Quantize;

/// <summary>The checkpoint that is quantized.</summary>
internal sealed class QuantizeSource
{
    private readonly LocatedModel model;

    private QuantizeSource(LocatedModel model) => this.model = model;

    /// <summary>The files with the weights; empty for a description alone, which no plan takes.</summary>
    public ImmutableArray<string> Files => model.Checkpoint?.Files ?? [];

    /// <summary>Bytes of the stored tensors.</summary>
    public long Bytes => model.Checkpoint?.StoredBytes ?? 0;

    /// <exception cref="CliException">There are no weights on this machine, or the architecture is not known.</exception>
    public static QuantizeSource Open(string name, CliEnvironment environment)
    {
        try
        {
            return new(ModelLocator.FromPath(LocalModel.Locate(name, environment)));
        }
        catch (UnknownArchitectureException failure)
        {
            throw CliException.WrongUsage(failure.Message, "'plimsoll models' lists models of the architectures that are known");
        }
    }

    /// <summary>What measures the types that the tensors may get.</summary>
    public GgufAllocator Allocator(QuantizeTarget target) => new(model, target.Gguf!, target.Method == QuantizeMethod.Gptq);

    public OutputPlan Plan(QuantizeTarget target) => target switch
    {
        { Gguf: { } recipe } => GgufConversion.Plan(model, recipe),
        { HuggingFace: { } recipe } => HuggingFaceConversion.Plan(model, recipe),
        _ => throw new InvalidOperationException("a target has one of two recipes"),
    };
}
