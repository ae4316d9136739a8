using Plimsoll.Checkpoints;

namespace Plimsoll.Models.Inspection;

/// <summary>What a checkpoint is good for.</summary>
public enum CheckpointKind
{
    /// <summary>The weights of a model.</summary>
    Model,

    /// <summary>Weights and the state of an optimizer, to go on training.</summary>
    TrainingState,

    /// <summary>LoRA matrices for another model.</summary>
    Adapter,

    /// <summary>A GGUF with the vision or audio encoder of another file (mmproj).</summary>
    Projector,

    /// <summary>A GGUF that holds a tokenizer and no weights.</summary>
    Vocabulary,

    /// <summary>A GGUF with activation statistics for quantizing.</summary>
    ImportanceMatrix,

    /// <summary>A GGUF with directions to add to activations.</summary>
    ControlVector,

    /// <summary>A configuration without weights.</summary>
    Configuration,

    /// <summary>Tensors that no configuration explains.</summary>
    Tensors,
}

/// <summary>Names and recognition of <see cref="CheckpointKind"/>.</summary>
public static class CheckpointKinds
{
    /// <summary>The word for JSON: <c>training_state</c>.</summary>
    public static string Word(this CheckpointKind kind) => kind switch
    {
        CheckpointKind.Model => "model",
        CheckpointKind.TrainingState => "training_state",
        CheckpointKind.Adapter => "adapter",
        CheckpointKind.Projector => "projector",
        CheckpointKind.Vocabulary => "vocabulary",
        CheckpointKind.ImportanceMatrix => "importance_matrix",
        CheckpointKind.ControlVector => "control_vector",
        CheckpointKind.Configuration => "configuration",
        _ => "tensors",
    };

    /// <summary>A phrase for people: <c>a training checkpoint</c>.</summary>
    public static string Describe(this CheckpointKind kind) => kind switch
    {
        CheckpointKind.Model => "a model",
        CheckpointKind.TrainingState => "a training checkpoint (weights and optimizer state)",
        CheckpointKind.Adapter => "an adapter (LoRA) for another model",
        CheckpointKind.Projector => "a multimodal projector (mmproj) for another model",
        CheckpointKind.Vocabulary => "a vocabulary without weights",
        CheckpointKind.ImportanceMatrix => "an importance matrix for quantizing",
        CheckpointKind.ControlVector => "a control vector",
        CheckpointKind.Configuration => "a configuration without weights",
        _ => "tensors without a configuration",
    };

    internal static CheckpointKind Of(Checkpoint checkpoint)
    {
        if (checkpoint.Gguf is { } metadata)
        {
            return (metadata.String("general.type"), metadata.String("general.architecture")) switch
            {
                ("imatrix", _) => CheckpointKind.ImportanceMatrix,
                ("mmproj", _) or (_, "clip") => CheckpointKind.Projector,
                ("adapter", _) => CheckpointKind.Adapter,
                (_, "controlvector") or ("control_vector", _) => CheckpointKind.ControlVector,
                _ when checkpoint.Tensors.IsEmpty && metadata.Contains("tokenizer.ggml.model") => CheckpointKind.Vocabulary,
                _ => CheckpointKind.Model,
            };
        }
        if (checkpoint.Tensors.Any(tensor => OptimizerState.IsState(tensor.Name)))
            return CheckpointKind.TrainingState;
        if (checkpoint.Tensors.Any(tensor => tensor.Name.Contains(".lora_A.", StringComparison.Ordinal)) && !checkpoint.Tensors.Any(tensor => TensorRoles.OfName(tensor.Name) == TensorRole.Embedding))
            return CheckpointKind.Adapter;
        return checkpoint.ConfigPath is null ? CheckpointKind.Tensors : CheckpointKind.Model;
    }
}
