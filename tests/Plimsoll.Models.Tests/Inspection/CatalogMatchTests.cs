using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models.Catalog;
using Plimsoll.Models.Inspection;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Tests.Inspection;

public class CatalogMatchTests
{
    /// <summary>Names are compared without their wrapping folders, so two tensors of one model could fall together.</summary>
    [Fact]
    public void Every_known_model_matches_a_checkpoint_of_its_own_tensors()
    {
        var compared = 0;
        foreach (var entry in ModelCatalog.Default.Entries)
        {
            var shape = entry.Shape;
            var stored = shape.Tensors.SelectMany(tensor => tensor.Name.Contains('*', StringComparison.Ordinal)
                ? Enumerable.Range(0, tensor.Count).Select(expert => Header(tensor.Name.Replace("*", expert.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), tensor.Dimensions))
                : [Header(tensor.Name, tensor.Count > 1 ? tensor.Dimensions.Insert(0, tensor.Count) : tensor.Dimensions)]).Take(5000).ToList();
            if (stored.Count == 5000)
                continue;
            var match = ArchitectureMatch.Create(shape, ParameterGrouping.Group(stored));
            Assert.True(match.Extra.IsEmpty, $"{shape.Id}: {match.Extra.FirstOrDefault()?.Name}");
            Assert.All(match.Pairs, pair => Assert.True(pair.Stored.Sum(storage => storage.Elements) == pair.Shape.Elements, $"{shape.Id}: {pair.Shape.Name}"));
            Assert.Equal(shape.Tensors.Length, match.Pairs.Count());
            compared++;
        }
        Assert.True(compared > 100, $"{compared} models were compared");
    }

    private static TensorHeader Header(string name, System.Collections.Immutable.ImmutableArray<long> dimensions) => new(name, NumberFormats.Bf16, dimensions, "x", 0, 2);
}
