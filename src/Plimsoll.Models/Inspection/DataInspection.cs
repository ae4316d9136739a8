using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models.Inspection.DataChecks;

namespace Plimsoll.Models.Inspection;

/// <summary>One thing that is checked in the weights themselves.</summary>
/// <param name="Name">The word in <see cref="InspectionProblem.Check"/>.</param>
/// <param name="Summary">What it compares, to complete the sentence "checked …".</param>
/// <param name="Find">Yields what is wrong.</param>
public sealed record DataCheck(string Name, string Summary, Func<DataInspection, IEnumerable<InspectionProblem>> Find);

/// <summary>A checkpoint whose weights are read to check them. Files are read from the first byte to the last, so it takes as long as the disk does.</summary>
public sealed class DataInspection : IDisposable
{
    private readonly List<ParameterStorage> unreadable = [];

    /// <param name="inspection">What the headers say; its files are on this machine.</param>
    public DataInspection(CheckpointInspection inspection)
    {
        Inspection = inspection;
        Weights = new(inspection.Checkpoint ?? throw new ArgumentException("a configuration has no weights", nameof(inspection)), inspection.Quantization);
        Parameters = [.. inspection.Storages.Where(storage => storage.Kind == StorageKind.Parameter && storage.Main.Elements > 0)];
    }

    /// <summary>Every check. A new one is a file in <c>DataChecks</c> and a line here.</summary>
    public static ImmutableArray<DataCheck> All { get; } =
    [
        new(ValuesCheck.Name, "that every weight is a finite number and no matrix is empty of them", ValuesCheck.Find),
        new(ZeroPointsCheck.Name, "that the zero points of GPTQ are stored as the configuration says", ZeroPointsCheck.Find),
        new(AwqOrderCheck.Name, "that the codes and zero points of AWQ are packed in the same order", AwqOrderCheck.Find),
        new(FusedScalesCheck.Name, "that layers which engines fuse share their NVFP4 scale", FusedScalesCheck.Find),
        new(TiedHeadCheck.Name, "that the output head is stored once where it is the embedding", TiedHeadCheck.Find),
        new(ReferenceCheck.Name, "that the weights are those of the reference, with --against", ReferenceCheck.Find),
    ];

    public CheckpointInspection Inspection { get; }

    public WeightReader Weights { get; }

    /// <summary>The parameters that have elements, in the order of the files.</summary>
    public ImmutableArray<ParameterStorage> Parameters { get; }

    /// <summary>A checkpoint of the same model in another precision; null without one.</summary>
    public DataInspection? Reference { get; init; }

    /// <summary>Told the bytes of the source that have been read through and the parameter at work.</summary>
    public Action<long, string> Progress { get; init; } = (_, _) => { };

    public CancellationToken Cancellation { get; init; }

    /// <summary>Parameters in layouts whose weights cannot be read here: nothing is known of them.</summary>
    public IReadOnlyList<ParameterStorage> Unreadable => unreadable;

    /// <summary>Runs every check.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The inspection was told to end.</exception>
    public ImmutableArray<InspectionProblem> Run() => [.. All.SelectMany(check => check.Find(this))];

    /// <summary>The weights of a parameter; null where they cannot be read, which the checks of headers tell about.</summary>
    internal StoredWeight? TryOpen(ParameterStorage parameter)
    {
        try
        {
            return Weights.Open(parameter);
        }
        catch (CheckpointFormatException)
        {
            if (!unreadable.Contains(parameter))
                unreadable.Add(parameter);
            return null;
        }
    }

    public void Dispose() => Weights.Dispose();
}
