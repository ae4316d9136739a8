using Plimsoll.Checkpoints;
using Plimsoll.Models;

namespace Plimsoll.Planning.Weights.Stored;

/// <summary>What a stored tensor is for, judged by its name when the architecture does not list it.</summary>
internal static class StoredRole
{
    /// <summary>A shape for a tensor that the architecture does not list: its own dimensions and the role its name suggests.</summary>
    public static TensorShape ShapeOf(TensorHeader header)
    {
        var role = TensorRoles.OfName(header.Name);
        return new()
        {
            Name = header.Name,
            Dimensions = header.Dimensions,
            Role = role,
            Layer = role is TensorRole.Tower or TensorRole.NextToken ? null : TensorRoles.LayerOf(header.Name),
            ActiveCount = role is TensorRole.Tower or TensorRole.NextToken ? 0 : 1,
        };
    }
}
