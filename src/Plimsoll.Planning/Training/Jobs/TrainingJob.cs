namespace Plimsoll.Planning.Training.Jobs;

/// <summary>How the learning rate falls after the warm-up.</summary>
public enum LearningSchedule
{
    Constant,
    Linear,
    Cosine,
}

/// <summary>A fine-tuning run as one program asks another for it: everything that decides the weights it ends with, and where they go.</summary>
public sealed record TrainingJob
{
    /// <summary>A folder in Hugging Face's layout, or a GGUF file.</summary>
    public required string Model { get; init; }

    /// <summary>A text file, or JSON lines.</summary>
    public required string Data { get; init; }

    /// <summary>The folder that the trained model goes to; a file where it is quantized to GGUF.</summary>
    public required string Output { get; init; }

    /// <summary>The folder of what is kept while the run is not finished.</summary>
    public string WorkFolder => Quantization is null ? Output : Output + ".training";

    public TrainingMethod Method { get; init; } = TrainingMethod.Full;

    /// <summary>The model is only described (<c>config.json</c>): weights are drawn at random.</summary>
    public bool Initialize { get; init; }

    public ComputeType Compute { get; init; } = ComputeType.Fp32;

    /// <summary>FP32 copies of 16-bit weights, which the optimizer updates.</summary>
    public bool MasterWeights { get; init; } = true;

    /// <summary>An id of the optimizer catalog.</summary>
    public string Optimizer { get; init; } = "adamw";

    /// <summary>Tokens of a row.</summary>
    public int SequenceLength { get; init; } = 512;

    /// <summary>Rows of one forward pass.</summary>
    public int MicroBatch { get; init; } = 1;

    /// <summary>Micro-batches per step of the optimizer.</summary>
    public int Accumulation { get; init; } = 1;

    public Checkpointing Checkpointing { get; init; }

    /// <summary>Steps of the optimizer; null for <see cref="Epochs"/> passes over the data.</summary>
    public int? Steps { get; init; }

    public double Epochs { get; init; } = 1;

    /// <summary>The highest learning rate.</summary>
    public double LearningRate { get; init; } = 1e-4;

    public LearningSchedule Schedule { get; init; } = LearningSchedule.Cosine;

    /// <summary>Steps over which the rate rises to its highest.</summary>
    public int Warmup { get; init; }

    /// <summary>The rate of the last step, as a part of the highest; without effect on a constant schedule.</summary>
    public double FinalRate { get; init; } = 0.1;

    /// <summary>Decoupled weight decay of matrices; vectors are not decayed.</summary>
    public double WeightDecay { get; init; }

    public double Beta1 { get; init; } = 0.9;

    public double Beta2 { get; init; } = 0.999;

    /// <summary>The largest norm of all gradients together; 0 for no limit.</summary>
    public double Clip { get; init; } = 1;

    public int Seed { get; init; }

    /// <summary>Documents follow each other without padding; otherwise each is a row of its own.</summary>
    public bool Pack { get; init; } = true;

    /// <summary>The part of the documents that is kept for validation.</summary>
    public double Validation { get; init; }

    /// <summary>Steps between two validations, beside the one at the end; 0 for none.</summary>
    public int ValidateEvery { get; init; }

    /// <summary>Steps between two checkpoints; 0 for none.</summary>
    public int SaveEvery { get; init; }

    /// <summary>Go on from the last checkpoint in <see cref="Output"/>.</summary>
    public bool Resume { get; init; }

    /// <summary>Threads that compute; null for all processors.</summary>
    public int? Threads { get; init; }

    public TrainingDevice Device { get; init; }

    /// <summary>Required for LoRA and QLoRA.</summary>
    public AdapterJob? Adapter { get; init; }

    /// <summary>The format that full training is aware of; null for plain numbers.</summary>
    public QuantizationJob? Quantization { get; init; }
}

/// <summary>Low-rank adapters: W + alpha / rank · B · A.</summary>
/// <param name="Targets">Module names, or <c>attention</c>, <c>all-linear</c>.</param>
/// <param name="Merge">The adapters are added to the weights at the end, and a whole model is written.</param>
public sealed record AdapterJob(int Rank, double Alpha, IReadOnlyList<string> Targets, bool Merge);

/// <summary>Quantization-aware training: the network computes with the weights that a format makes of those that learn, and is written in that format.</summary>
/// <param name="Format">As <c>plimsoll quantize --to</c> takes it.</param>
/// <param name="Distill">The loss is the KL divergence from the model before training; else the cross entropy of the text.</param>
public sealed record QuantizationJob(string Format, bool Distill);

public enum TrainingDevice
{
    Cpu,
    Cuda,
}
