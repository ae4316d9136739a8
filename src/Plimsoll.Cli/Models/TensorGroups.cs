using Plimsoll.Models;

namespace Plimsoll.Cli.Models;

/// <summary>Tensors that differ by numbers in their name only, as one line.</summary>
internal static class TensorGroups
{
    public sealed record Group(string Name, string Shape, long Count, long Parameters);

    public static IEnumerable<Group> Of(ModelShape shape) => shape.Tensors
        .GroupBy(tensor => (Name: WithoutNumbers(tensor.Name), Shape: string.Join(" × ", tensor.Dimensions)))
        .Select(group => new Group(group.Key.Name, group.Key.Shape, group.Sum(tensor => (long)tensor.Count), group.Sum(tensor => tensor.Elements)));

    /// <summary><c>model.layers.17.mlp</c> becomes <c>model.layers.N.mlp</c>.</summary>
    private static string WithoutNumbers(string name) =>
        string.Join('.', name.Split('.').Select(part => part.Length > 0 && part.All(char.IsAsciiDigit) ? "N" : part));
}
