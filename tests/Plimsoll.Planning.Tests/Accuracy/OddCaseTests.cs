using System.Text.Json.Nodes;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Accuracy;

namespace Plimsoll.Planning.Tests.Accuracy;

/// <summary>Published settings are typed by people: whatever stands there, a case is predicted or refused with a reason.</summary>
public class OddCaseTests
{
    private static readonly JsonNode?[] Nonsense = [null, "", "many", -1, 0, 1e18, 0.5, true, new JsonArray(1, "x"), new JsonObject { ["a"] = 1 }];

    [Theory]
    [InlineData("validation/memory_cases.jsonl", 3)]
    [InlineData("validation/throughput_cases.jsonl", 15)]
    public void No_value_makes_the_evaluation_fail(string file, int every)
    {
        var lines = File.ReadLines(SharedData.Require(file)).Where((_, index) => index % every == 0).ToList();
        foreach (var line in lines)
        {
            var original = JsonNode.Parse(line)!.AsObject();
            foreach (var part in new[] { original, original["settings"] as JsonObject, original["arch"] as JsonObject, original["measured"] as JsonObject }.OfType<JsonObject>().ToList())
            {
                foreach (var key in part.Select(pair => pair.Key).Where(key => key != "id").ToList())
                {
                    var before = part[key]?.DeepClone();
                    var nonsense = Nonsense[(key.Length + line.Length) % Nonsense.Length];
                    part[key] = nonsense?.DeepClone();
                    var results = CaseEvaluation.Evaluate(MeasuredCase.Parse(original.ToJsonString(), "test"), ModelCatalog.Default);
                    Assert.All(results, result => Assert.True(result.RefusedBecause is not null || result.Predicted is not null, $"{result.Id} with {key} = {nonsense}"));
                    part[key] = before;
                }
            }
        }
    }
}
