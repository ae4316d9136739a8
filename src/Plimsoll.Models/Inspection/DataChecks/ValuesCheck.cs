using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Models.Inspection.DataChecks;

/// <summary>NaN and infinities, matrices and rows of nothing but zeros. Reads every weight.</summary>
internal static class ValuesCheck
{
    public const string Name = "values";

    private const int PieceFloats = 64 * 1024;

    public static IEnumerable<InspectionProblem> Find(DataInspection data)
    {
        var bytes = 0L;
        var (nonFinite, zero, zeroRows, broken) = (new List<Finding>(), new List<string>(), new List<Finding>(), new List<InspectionProblem>());
        foreach (var parameter in data.Parameters)
        {
            data.Progress(bytes, parameter.Name);
            bytes += parameter.Bytes;
            if (data.TryOpen(parameter) is not { } weight)
                continue;
            var found = new Finding(parameter.Name);
            try
            {
                Read(weight, found, data.Cancellation);
            }
            catch (CheckpointFormatException failure)
            {
                broken.Add(InspectionProblem.Error(Name, $"{parameter.Name} cannot be read: expected {failure.Expected}, found {failure.Found}.", [parameter.Name]));
                continue;
            }
            if (found.NonFinite > 0)
                nonFinite.Add(found);
            if (weight.Dimensions.Length < 2 || weight.RowLength == 1)
                continue;
            if (found.ZeroRows == weight.Rows)
                zero.Add(parameter.Name);
            // Rows of tokens that no tokenizer gives are zeros on purpose.
            else if (found.ZeroRows > 0 && data.Inspection.RoleOf(parameter) is not (TensorRole.Embedding or TensorRole.OutputHead))
                zeroRows.Add(found);
        }
        return broken.Concat(NonFinite(nonFinite)).Concat(Zero(zero)).Concat(ZeroRows(zeroRows));
    }

    private static IEnumerable<InspectionProblem> NonFinite(List<Finding> found)
    {
        if (found.Count == 0)
            yield break;
        var count = found.Sum(finding => finding.NonFinite);
        var first = found[0];
        yield return InspectionProblem.Error(Name, string.Create(CultureInfo.InvariantCulture,
            $"{first.Name}[{first.FirstRow}, {first.FirstColumn}] is {(float.IsNaN(first.FirstValue) ? "NaN" : first.FirstValue > 0 ? "infinite" : "minus infinite")}{(count == 1 ? "" : $", the first of {count:N0} weights that are not finite, in {InspectionProblem.Examples([.. found.Select(finding => finding.Name)])}")}."),
            found.Select(finding => finding.Name));
    }

    private static IEnumerable<InspectionProblem> Zero(List<string> names)
    {
        if (names.Count > 0)
            yield return InspectionProblem.Warning(Name, $"{(names.Count == 1 ? "1 matrix is" : $"{names.Count:N0} matrices are")} all zeros: {InspectionProblem.Examples(names)}.", names);
    }

    private static IEnumerable<InspectionProblem> ZeroRows(List<Finding> found)
    {
        if (found.Count > 0)
            yield return InspectionProblem.Warning(Name, string.Create(CultureInfo.InvariantCulture, $"{found.Sum(finding => finding.ZeroRows):N0} whole rows are zeros, the first in {InspectionProblem.Examples([.. found.Select(finding => finding.Name)])}."), found.Select(finding => finding.Name));
    }

    private static void Read(StoredWeight weight, Finding found, CancellationToken cancellation)
    {
        var rowsOfOne = Math.Max(1, PieceFloats / Math.Max(1, weight.RowLength));
        var pieces = (int)((weight.Rows + rowsOfOne - 1) / rowsOfOne);
        var length = checked((int)(Math.Min(rowsOfOne, weight.Rows) * weight.RowLength));
        try
        {
            Parallel.For(0, pieces, new() { CancellationToken = cancellation }, () => new float[length], (piece, _, buffer) =>
            {
                var first = piece * rowsOfOne;
                var values = buffer.AsSpan(0, (int)(Math.Min(rowsOfOne, weight.Rows - first) * weight.RowLength));
                weight.ReadRows(first, values);
                found.Look(values, first, (int)weight.RowLength);
                return buffer;
            }, _ => { });
        }
        catch (AggregateException failures)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    /// <summary>What is odd about one parameter; told by several threads.</summary>
    private sealed class Finding(string name)
    {
        private readonly Lock gate = new();

        public string Name => name;

        public long NonFinite { get; private set; }

        public long ZeroRows { get; private set; }

        public long FirstRow { get; private set; } = long.MaxValue;

        public long FirstColumn { get; private set; }

        public float FirstValue { get; private set; }

        public void Look(Span<float> values, long firstRow, int rowLength)
        {
            var zeroRows = 0;
            for (var at = 0; at < values.Length; at += rowLength)
                zeroRows += values.Slice(at, rowLength).ContainsAnyExcept(0f) ? 0 : 1;
            var first = FiniteNumbers.FindOther(values);
            var value = first < 0 ? 0 : values[first];
            var others = first < 0 ? 0 : FiniteNumbers.ReplaceOthers(values);
            if (zeroRows == 0 && others == 0)
                return;
            lock (gate)
            {
                ZeroRows += zeroRows;
                NonFinite += others;
                if (others > 0 && firstRow + first / rowLength < FirstRow)
                    (FirstRow, FirstColumn, FirstValue) = (firstRow + first / rowLength, first % rowLength, value);
            }
        }
    }
}
