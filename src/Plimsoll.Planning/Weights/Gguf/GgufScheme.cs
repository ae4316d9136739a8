using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;

namespace Plimsoll.Planning.Weights.Gguf;

/// <summary>A GGUF file type: what <c>llama-quantize</c> would make of the model.</summary>
/// <param name="fileType">The mixture.</param>
/// <param name="imatrix">An importance matrix is given; a few mixtures choose other types then.</param>
internal sealed class GgufScheme(GgufFileType fileType, bool imatrix) : PrecisionScheme
{
    public override string Name => $"gguf:{fileType.Name}{(imatrix && !fileType.NeedsImatrix ? "+imatrix" : "")}";

    public override PrecisionFamily Family => PrecisionFamily.Gguf;

    public override string Summary => $"llama.cpp file type {fileType.Name.ToUpperInvariant()}, mostly {fileType.DefaultType.Name}"
        + (fileType.NeedsImatrix ? "; llama.cpp makes it only with an importance matrix" : "");

    public override WeightSet Apply(ModelShape shape)
    {
        var layout = GgufLayout.Of(shape);
        var types = new GgufMix(fileType, layout.Facts, new() { HasImatrix = imatrix || fileType.NeedsImatrix }).Assign(layout.Tensors);
        return new(Name, [.. layout.Tensors.Zip(types, (tensor, type) => new WeightTensor(tensor.Source, type, tensor.Bytes(type)) { StoredName = tensor.Name })])
        {
            Confidence = shape.Confidence,
            Notes = layout.Notes,
        };
    }
}
