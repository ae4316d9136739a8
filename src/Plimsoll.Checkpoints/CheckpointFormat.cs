namespace Plimsoll.Checkpoints;

/// <summary>The container in which a checkpoint stores its tensors.</summary>
public enum CheckpointFormat
{
    Safetensors,
    Gguf,
    PyTorch,
}
