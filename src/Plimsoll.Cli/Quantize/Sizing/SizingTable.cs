using System.Globalization;
using Plimsoll.Evaluation;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Allocation;
using Spectre.Console;

namespace Plimsoll.Cli.Quantize.Sizing;

/// <summary>Which tensors paid for a size, and what came of it, for people.</summary>
internal static class SizingTable
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static void Write(Terminal terminal, SizingResult result)
    {
        var allocation = result.Allocation;
        terminal.Rich.WriteLine($"{result.Goal}: {result.Goal.Show(allocation.Bytes, result.Weights, result.HeaderBytes)}; the least is {result.Goal.Show(result.LeastBytes, result.Weights, result.HeaderBytes)}");
        var table = new Table().Border(TableBorder.Simple).AddColumn("tensors").AddColumn("types");
        foreach (var label in new[] { "bits", "share of bytes", "share of loss" })
            table.AddColumn(new TableColumn(label).RightAligned().NoWrap());
        foreach (var kind in allocation.Tensors.GroupBy(tensor => KindOf(tensor.Tensor), StringComparer.Ordinal).OrderBy(Bits))
            table.AddRow(Markup.Escape(kind.Key), Types(kind), Bits(kind).ToString("0.00", Culture), Share(kind.Sum(Bytes), allocation.Tensors.Sum(Bytes)), Share(kind.Sum(tensor => tensor.Divergence), allocation.Divergence));
        terminal.Rich.Write(table);
        terminal.Rich.WriteLine(string.Create(Culture, $"divergence from the original over {result.Predictions:N0} predictions on text that was held out: {Show(result.Divergence)} ({allocation.Divergence:0.00000} expected)"));
        terminal.Rich.WriteLine(result.Standard is { } standard
            ? string.Create(Culture, $"gguf:{standard.Name}, the best standard mixture of no more bytes, has {Show(standard.Divergence)} in {standard.Allocation.Bytes:N0} bytes of tensors beside {allocation.Bytes:N0}: {Change(result.Divergence, standard.Divergence)}")
            : "No standard mixture has so few bytes.");
    }

    /// <summary>The name without its layer: <c>ffn_down</c>.</summary>
    private static string KindOf(GgufTensor tensor) => (tensor.Layer < 0 ? tensor.Name : tensor.Name[(tensor.Name.IndexOf('.', 4) + 1)..]).Replace(".weight", "", StringComparison.Ordinal);

    private static string Types(IEnumerable<AllocatedTensor> tensors) => string.Join(", ", tensors.GroupBy(tensor => tensor.Type)
        .OrderBy(type => type.Key.BitsPerWeight)
        .Select(type => type.Count() == 1 ? type.Key.Name : $"{type.Count().ToString(Culture)} {type.Key.Name}"));

    private static double Bits(IEnumerable<AllocatedTensor> tensors) => 8.0 * tensors.Sum(Bytes) / tensors.Sum(tensor => tensor.Weights);

    private static long Bytes(AllocatedTensor tensor) => tensor.Tensor.Bytes(tensor.Type);

    private static string Share(double part, double whole) => whole > 0 ? (part / whole).ToString("0.0 %", Culture) : "-";

    private static string Show(Divergence divergence) => string.Create(Culture, $"{divergence.Mean.Value:0.00000} ± {divergence.Mean.Error:0.00000}");

    private static string Change(Divergence own, Divergence other) => other.Mean.Value > 0
        ? (own.Mean.Value / other.Mean.Value - 1).ToString("+0 %;-0 %;the same", Culture)
        : "the same";
}
