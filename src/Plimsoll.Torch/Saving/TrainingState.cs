using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Optimizers;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Saving;

/// <summary>Everything that a run needs to go on to the bit as if it had not been interrupted, in one file that is replaced whole.</summary>
/// <remarks>Weights that learn, the optimizer's states, the state of libtorch's random numbers; as text the position and what the run was asked for.</remarks>
internal static class TrainingState
{
    public const string FileName = "training-state.safetensors";

    private const string Schema = "plimsoll.training-state/1", Weights = "weight/", States = "optimizer/", Random = "random";

    /// <param name="settings">What a run that goes on must have in common with this one, by name.</param>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string folder, IEnumerable<Weight> learning, Optimizer optimizer, TrainingPosition position, IReadOnlyDictionary<string, string> settings)
    {
        Directory.CreateDirectory(folder);
        using var random = RandomState();
        var tensors = learning.Select(weight => SavedTensor.Of(Weights + weight.Name, weight.Value))
            .Concat(optimizer.State.Select(state => SavedTensor.Of(States + state.Name, state.Value)))
            .Append(SavedTensor.Of(Random, random));
        TensorFile.Write(Path.Combine(folder, FileName), tensors, settings.Concat(position.Write()).Append(new("schema", Schema)));
    }

    /// <summary>Brings a run to where another one of the same settings was.</summary>
    /// <exception cref="TrainingRefusedException">There is no state, or it belongs to another run.</exception>
    /// <exception cref="CheckpointFormatException">The file is broken.</exception>
    public static TrainingPosition Restore(string folder, IReadOnlyList<Weight> learning, Optimizer optimizer, IReadOnlyDictionary<string, string> settings)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new TrainingRefusedException($"{folder}: there is no {FileName} to go on from", "leave --resume out; --save-every N keeps a state every N steps");
        var file = Checkpoint.Open(path);
        if (file.Metadata.GetValueOrDefault("schema") != Schema)
            throw new TrainingRefusedException($"{path} is no state of a training run");
        foreach (var (name, value) in settings)
        {
            var kept = file.Metadata.GetValueOrDefault(name, "unknown");
            if (kept != value)
                throw new TrainingRefusedException($"{path} belongs to another run: {name} {(value.Length > 40 ? "differs" : $"was {kept} and is {value}")}", "resume with the settings, model and data that it began with, or choose another -o");
        }
        using var none = no_grad();
        using var scope = NewDisposeScope();
        using var reader = new TensorReader();
        var tensors = file.Tensors.ToDictionary(tensor => tensor.Name, tensor => Read(reader, tensor));
        foreach (var weight in learning)
            weight.Value.copy_(tensors.GetValueOrDefault(Weights + weight.Name) ?? throw new CheckpointFormatException(path, null, $"tensor '{Weights + weight.Name}'", "no such tensor"));
        optimizer.Restore(tensors.Where(tensor => tensor.Key.StartsWith(States, StringComparison.Ordinal)).ToDictionary(tensor => tensor.Key[States.Length..], tensor => tensor.Value));
        var position = TrainingPosition.Read(file.Metadata);
        optimizer.Steps = position.Updates;
        set_rng_state(tensors[Random]);
        return position;
    }

    /// <summary>The run is finished: nobody goes on from its state.</summary>
    public static void Delete(TrainingJob job)
    {
        if (job.WorkFolder == job.Output)
            File.Delete(Path.Combine(job.Output, FileName));
        else if (Directory.Exists(job.WorkFolder))
            Directory.Delete(job.WorkFolder, recursive: true);
    }

    private static Tensor RandomState() => get_rng_state().DetachFromDisposeScope();

    private static Tensor Read(TensorReader reader, TensorHeader header)
    {
        var value = empty([.. header.Dimensions], dtype: TensorFile.TypeOf(header.Format) ?? throw new CheckpointFormatException(header.File, header.Offset, "a type that states are kept in", header.Format.Name));
        const int piece = 1 << 28;
        var flat = value.view(-1);
        var size = header.Format.BlockBytes;
        for (var at = 0L; at < value.numel(); at += piece)
        {
            using var part = flat.narrow(0, at, Math.Min(piece, value.numel() - at));
            reader.Read(header, at * size, part.bytes);
        }
        return value;
    }
}

/// <summary>How far a run has come.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Updates">Steps in which the weights moved: fewer where FP16 gradients overflowed.</param>
/// <param name="Scale">The loss scale, and the steps since it changed.</param>
/// <param name="Losses">Of the last steps.</param>
internal sealed record TrainingPosition(int Step, int Updates, double Scale, int GoodSteps, IReadOnlyList<double> Losses)
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public IEnumerable<KeyValuePair<string, string>> Write() =>
    [
        new("step", Step.ToString(Culture)), new("updates", Updates.ToString(Culture)), new("scale", Scale.ToString("R", Culture)), new("good_steps", GoodSteps.ToString(Culture)),
        new("losses", string.Join(' ', Losses.Select(loss => loss.ToString("R", Culture)))),
    ];

    public static TrainingPosition Read(IReadOnlyDictionary<string, string> text) => new(
        int.Parse(text["step"], Culture), int.Parse(text["updates"], Culture), double.Parse(text["scale"], Culture), int.Parse(text["good_steps"], Culture),
        [.. text["losses"].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(loss => double.Parse(loss, Culture))]);
}
