using Plimsoll.Models;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Adapters;

/// <summary>Puts adapters on the layers that a job names.</summary>
internal static class AdapterSetup
{
    /// <exception cref="TrainingRefusedException">A name matches nothing, or the rank is larger than a matrix.</exception>
    public static Decoder Apply(Decoder decoder, ModelShape model, AdapterJob job, Device device)
    {
        var targets = Targets(model, job);
        return decoder.Replace(layer => targets.TryGetValue(layer.Name, out var target)
            ? LoraLinear.Over(layer, checked((int)target.Out), checked((int)target.In), job.Rank, job.Alpha, device)
            : layer);
    }

    private static Dictionary<string, AdapterTarget> Targets(ModelShape model, AdapterJob job)
    {
        try
        {
            return AdapterPlacement.Resolve(model, new(job.Rank, job.Targets)).ToDictionary(target => target.Tensor.Name);
        }
        catch (TrainingConflictException conflict)
        {
            throw new TrainingRefusedException(conflict.Message);
        }
    }
}
