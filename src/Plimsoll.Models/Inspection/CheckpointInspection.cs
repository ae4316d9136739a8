using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Models.Inspection;

/// <summary>A file of a checkpoint.</summary>
/// <param name="Bytes">Its length; null when a server did not tell.</param>
/// <param name="TensorBytes">What of it is tensor data.</param>
public sealed record InspectedFile(string Path, long? Bytes, int Tensors, long TensorBytes);

/// <summary>What a checkpoint is, from its headers alone.</summary>
public sealed record CheckpointInspection
{
    /// <summary>The file, folder or repository, as the user named it.</summary>
    public required string Path { get; init; }

    public required CheckpointKind Kind { get; init; }

    /// <summary>The stored tensors; null for a configuration alone.</summary>
    public Checkpoint? Checkpoint { get; init; }

    public ModelConfig? Config { get; init; }

    public QuantizationConfig? Quantization { get; init; }

    /// <summary>What the architecture is; null when it is not known or does not apply.</summary>
    public ModelShape? Shape { get; init; }

    /// <summary>Why there is no <see cref="Shape"/> although there is a description of a model.</summary>
    public string? ShapeRefusal { get; init; }

    /// <summary>The architecture as the files spell it (<c>model_type</c>, <c>general.architecture</c>); null when none says.</summary>
    public string? Architecture { get; init; }

    /// <summary>Every parameter and what is stored for it, optimizer state included.</summary>
    public ImmutableArray<ParameterStorage> Storages { get; init; } = [];

    /// <summary>The stored parameters beside those of the architecture; null without a <see cref="Shape"/>.</summary>
    public ArchitectureMatch? Match { get; init; }

    /// <summary>The exact number of the model's parameters, packed ones counted one by one; null when nothing tells it.</summary>
    public long? Parameters { get; init; }

    /// <summary>Where <see cref="Parameters"/> comes from when not from the stored tensors alone, or why it is null.</summary>
    public string? ParametersNote { get; init; }

    public TokenizerFacts? Tokenizer { get; init; }

    public ImmutableArray<InspectedFile> Files { get; init; } = [];

    /// <summary>By number format or quantized layout, most bytes first.</summary>
    public ImmutableArray<StorageLine> Types { get; init; } = [];

    /// <summary>By part of the model, in the order of a forward pass.</summary>
    public ImmutableArray<StorageLine> Parts { get; init; } = [];

    /// <summary>How the weights are quantized, in a sentence.</summary>
    public string QuantizationText { get; init; } = "";

    /// <summary>The precision in a word: <c>q4_k_m</c>, <c>gptq:4bit-g128</c>, <c>bf16</c>; null where there are no weights.</summary>
    public string? Precision { get; init; }

    /// <summary>The longest context that the model was made for; null when nothing says.</summary>
    public long? ContextLength { get; init; }

    public bool HasChatTemplate { get; init; }

    public ImmutableArray<InspectionProblem> Problems { get; init; } = [];

    /// <summary>What a reader should know and that is no problem.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Bytes of the model's tensors in the files, scales included, optimizer state not.</summary>
    public long WeightBytes => Storages.Where(storage => storage.Kind is not (StorageKind.Alias or StorageKind.Optimizer)).Sum(storage => storage.Bytes);

    public long OptimizerBytes => Storages.Where(storage => storage.Kind == StorageKind.Optimizer).Sum(storage => storage.Bytes);

    /// <summary>Bits that the files hold per parameter; null where parameters or files are missing.</summary>
    public double? BitsPerWeight => Parameters is > 0 && Checkpoint is { MissingFiles.IsEmpty: true } ? 8.0 * WeightBytes / Parameters : null;

    public bool IsComplete => Checkpoint is not { MissingFiles.IsEmpty: false };

    /// <summary>What the tensors' names and shapes tell of a model whose architecture is not known; null when they tell nothing.</summary>
    public string? TensorOutline
    {
        get
        {
            var layers = Storages.Where(storage => storage.Kind == StorageKind.Parameter).Select(storage => TensorRoles.LayerOf(storage.Name)).Max();
            var embedding = Checks.VocabularyCheck.Embedding(this)?.Dimensions;
            return (layers, embedding) switch
            {
                ({ } last, [var rows, var columns]) => $"{last + 1} layers and an embedding of {rows} x {columns}, by the tensors' names",
                ({ } last, _) => $"{last + 1} layers, by the tensors' names",
                _ => null,
            };
        }
    }

    /// <summary>The role of a stored parameter: the architecture's word, else what its name suggests.</summary>
    public TensorRole RoleOf(ParameterStorage storage) => Match?.ShapeOf(storage)?.Role ?? TensorRoles.OfName(storage.Name);

    /// <summary>The weights of a stored parameter: what its shapes say, else the architecture; null when neither tells.</summary>
    public long? ElementsOf(ParameterStorage storage) => storage.Kind == StorageKind.Parameter ? storage.Elements ?? Match?.ElementsOf(storage) : 0;
}
