using System.CommandLine;

namespace Plimsoll.Cli.Train;

/// <summary>The options of <c>train</c>.</summary>
internal static class TrainOptions
{
    public static readonly Argument<string> Model = new("MODEL") { Description = "a folder with config.json and weights, a GGUF file, or 'demo'" };
    public static readonly Option<string> Data = new("--data") { Description = "a text file, or JSON lines with text, or with prompt and completion", Required = true, HelpName = "FILE" };
    public static readonly Option<string> Output = new("--output", "-o") { Description = "the folder for the trained model", Required = true, HelpName = "OUT" };
    public static readonly Option<string> Method = new("--method") { Description = "what learns: full, lora, qlora, or qat: every parameter under the rounding of --to", DefaultValueFactory = _ => "full" };
    public static readonly Option<string?> To = new("--to") { Description = "qat: the format, as 'plimsoll quantize --to' takes it; -o is then a .gguf file or a new folder", HelpName = "FORMAT" };
    public static readonly Option<bool> NoDistill = new("--no-distill") { Description = "qat: learn the text itself, and not what the original predicts" };
    public static readonly Option<bool> Init = new("--init") { Description = "draw the weights at random and train from nothing; a config.json is enough" };
    public static readonly Option<string> Precision = new("--precision", "-p") { Description = "what the network computes in", DefaultValueFactory = _ => "fp32" };
    public static readonly Option<string> Optimizer = new("--optimizer") { Description = "adamw, adamw-8bit, sgd, momentum, lion, adafactor", DefaultValueFactory = _ => "adamw" };
    public static readonly Option<string> MasterWeights = new("--master-weights") { Description = "fp32 copies of 16-bit weights for the optimizer, or none", DefaultValueFactory = _ => "fp32" };
    public static readonly Option<int?> Rank = OptionValues.Count("--rank", "lora, qlora: rank of the adapters; 16 when left out", maximum: 65_536);
    public static readonly Option<double?> Alpha = new("--alpha") { Description = "lora, qlora: the adapters count alpha / rank times; twice the rank when left out" };
    public static readonly Option<string?> Targets = new("--lora-targets") { Description = "lora, qlora: modules such as q_proj,v_proj, or attention, all-linear; all-linear when left out" };
    public static readonly Option<bool> Merge = new("--merge") { Description = "lora, qlora: add the adapters to the weights, and write a whole model" };
    public static readonly Option<long?> Context = OptionValues.Tokens("--context", "tokens of a row; 512 or the model's limit when left out");
    public static readonly Option<int?> Batch = OptionValues.Count("--batch", "rows of one forward pass; 1 when left out", maximum: 65_536);
    public static readonly Option<int?> Accumulate = OptionValues.Count("--accumulate", "forward passes per step; 1 when left out", maximum: 65_536);
    public static readonly Option<string> Checkpointing = new("--checkpointing") { Description = "activations that are computed again instead of kept: none, selective (every second layer) or full", DefaultValueFactory = _ => "none" };
    public static readonly Option<int?> Steps = OptionValues.Count("--steps", "steps of the optimizer; --epochs decides when left out", maximum: int.MaxValue);
    public static readonly Option<double> Epochs = new("--epochs") { Description = "passes over the data", DefaultValueFactory = _ => 1 };
    public static readonly Option<double?> LearningRate = new("--learning-rate", "--lr") { Description = "the highest learning rate; 5e-5 for full, 2e-4 for adapters when left out" };
    public static readonly Option<string> Schedule = new("--schedule") { Description = "the learning rate after the warm-up: cosine, linear or constant", DefaultValueFactory = _ => "cosine" };
    public static readonly Option<int?> Warmup = OptionValues.Count("--warmup", "steps over which the learning rate rises; 3 % of the steps when left out", minimum: 0, maximum: int.MaxValue);
    public static readonly Option<double> FinalRate = new("--final-rate") { Description = "the last learning rate as a part of the highest", DefaultValueFactory = _ => 0.1 };
    public static readonly Option<double> WeightDecay = new("--weight-decay") { Description = "decay of matrices", DefaultValueFactory = _ => 0.01 };
    public static readonly Option<double?> Beta2 = new("--beta2") { Description = "how long the optimizer remembers; 0.999, for lion 0.99, when left out" };
    public static readonly Option<double> Clip = new("--clip") { Description = "the largest norm of all gradients together; 0 for none", DefaultValueFactory = _ => 1 };
    public static readonly Option<int> Seed = new("--seed") { Description = "decides the order of the data and the random weights", DefaultValueFactory = _ => 0 };
    public static readonly Option<bool> NoPacking = new("--no-packing") { Description = "each document is a row of its own, padded or cut" };
    public static readonly Option<double> Validation = new("--validation") { Description = "the part of the data that is kept to measure on", DefaultValueFactory = _ => 0.05 };
    public static readonly Option<int?> ValidateEvery = OptionValues.Count("--validate-every", "steps between two validations, beside the one at the end", maximum: int.MaxValue);
    public static readonly Option<int?> SaveEvery = OptionValues.Count("--save-every", "steps between two checkpoints, from which --resume goes on; none when left out", maximum: int.MaxValue);
    public static readonly Option<bool> Resume = new("--resume") { Description = "go on from the last checkpoint in OUT" };
    public static readonly Option<int?> Threads = OptionValues.Count("--threads", "threads that compute; all processors when left out", maximum: 1024);
    public static readonly Option<string?> Libtorch = new("--libtorch") { Description = "the lib folder of another libtorch 2.10, such as one with CUDA", HelpName = "DIR" };
    public static readonly Option<string?> Plot = new("--plot") { Description = "draw the loss as SVG", HelpName = "FILE.svg" };
    public static readonly Option<bool> PlanOnly = new("--plan") { Description = "print the memory plan of the run, and do not train" };
    public static readonly Option<bool> Force = new("--force") { Description = "train even where the plan exceeds the memory that is free" };

    public static IEnumerable<Option> All =>
    [
        Data, Output, Method, To, NoDistill, Init, Precision, MasterWeights, Optimizer, Rank, Alpha, Targets, Merge, Context, Batch, Accumulate, Checkpointing, Steps, Epochs, LearningRate, Schedule, Warmup, FinalRate,
        WeightDecay, Beta2, Clip, Seed, NoPacking, Validation, ValidateEvery, SaveEvery, Resume, Threads, Libtorch, Plot, PlanOnly, Force,
    ];
}
