using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>Other matrices in place of those of one stored tensor, until this is disposed.</summary>
internal sealed class Substitution : IDisposable
{
    private readonly Dictionary<PackedMatrix, PackedMatrix> substitutes = [];
    private readonly List<(Linear Layer, PackedMatrix Own)> changed = [];

    /// <param name="layers">Those that the tensor is multiplied in; tied ones share their matrix.</param>
    public Substitution(IEnumerable<Linear> layers, Func<PackedMatrix, int, PackedMatrix> substitute)
    {
        foreach (var layer in layers)
        {
            if (!substitutes.TryGetValue(layer.Matrix, out var other))
                substitutes[layer.Matrix] = other = substitute(layer.Matrix, layer.Expert);
            changed.Add((layer, layer.Matrix));
            layer.Matrix = other;
        }
    }

    public void Dispose()
    {
        foreach (var (layer, own) in changed)
            layer.Matrix = own;
        foreach (var other in substitutes.Values)
            other.Dispose();
        changed.Clear();
        substitutes.Clear();
    }
}
