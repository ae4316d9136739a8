using System.Globalization;

namespace Plimsoll.Planning.Launch;

/// <summary>Machines of equal size that together hold the GPUs of a plan.</summary>
public sealed record LaunchCluster(int Nodes, int GpusPerNode)
{
    public int Ranks => Nodes * GpusPerNode;

    /// <exception cref="LaunchRefusedException">The GPUs do not fill the machines evenly.</exception>
    public static LaunchCluster Of(int gpus, int gpusPerNode)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gpus);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gpusPerNode);
        if (gpus <= gpusPerNode)
            return new(1, gpus);
        if (gpus % gpusPerNode == 0)
            return new(gpus / gpusPerNode, gpusPerNode);
        var divisor = Enumerable.Range(1, gpusPerNode).Last(size => gpus % size == 0);
        throw new LaunchRefusedException(
            string.Create(CultureInfo.InvariantCulture, $"{gpus} GPUs do not fill machines of {gpusPerNode} evenly"),
            string.Create(CultureInfo.InvariantCulture, $"--gpus-per-node {divisor} does, or a number of GPUs that {gpusPerNode} divides"));
    }

    public override string ToString() => Nodes == 1
        ? string.Create(CultureInfo.InvariantCulture, $"1 machine with {Count(GpusPerNode)}")
        : string.Create(CultureInfo.InvariantCulture, $"{Nodes} machines x {Count(GpusPerNode)} = {Ranks} ranks");

    private static string Count(int gpus) => gpus == 1 ? "1 GPU" : string.Create(CultureInfo.InvariantCulture, $"{gpus} GPUs");
}
