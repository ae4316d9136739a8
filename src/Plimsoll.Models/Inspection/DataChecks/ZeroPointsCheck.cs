using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Models.Inspection.DataChecks;

/// <summary>GPTQ files whose zero points are stored in the way of the other version.</summary>
/// <remarks>
/// Version 1 stores zero − 1, version 2 the zero itself, and <c>checkpoint_format</c> says which. A symmetric file has the same zero point everywhere, 2^(bits−1), so
/// its words tell what was really stored. Files with the wrong label exist; engines that believe it shift every weight by one step
/// (vLLM pull request 38966).
/// </remarks>
internal static class ZeroPointsCheck
{
    public const string Name = "zero-points";

    public static IEnumerable<InspectionProblem> Find(DataInspection data)
    {
        if (data.Inspection.Quantization is not { } quantization)
            yield break;
        var saysVersion2 = quantization.CheckpointFormat == "gptq_v2";
        var wrong = data.Parameters.Where(parameter => parameter is { Layout: StorageLayout.Gptq, Bits: not null }
            && StoredZero(data, parameter) is { } stored && stored == Middle(parameter) - (saysVersion2 ? 1 : 0)).ToList();
        if (wrong.Count == 0)
            yield break;
        var middle = Middle(wrong[0]);
        yield return InspectionProblem.Error(Name, saysVersion2
            ? $"the zero points of {Count(wrong)} are stored as {middle - 1}, as version 1 stores {middle}, but checkpoint_format is gptq_v2: engines shift every weight by one step; it should say gptq."
            : $"the zero points of {Count(wrong)} are stored as {middle}, as version 2 does, but checkpoint_format is {quantization.CheckpointFormat ?? "not given, which means gptq"}: engines shift every weight by one step; it should say gptq_v2.",
            wrong.Select(parameter => parameter.Name));
    }

    /// <summary>The number that all words of zero points repeat; null where they differ, as in an asymmetric file.</summary>
    private static int? StoredZero(DataInspection data, ParameterStorage parameter)
    {
        if (parameter.Find("qzeros") is not { Elements: > 0 } tensor || tensor.Bytes > Array.MaxLength || tensor.Format.BlockBytes != sizeof(uint) || tensor.Strides is not null)
            return null;
        var bytes = new byte[tensor.Bytes];
        data.Weights.Tensors.Read(tensor, 0, bytes);
        var words = MemoryMarshal.Cast<byte, uint>(bytes);
        var columns = (int)tensor.Dimensions[^1];
        var codes = new byte[columns * 32L / parameter.Bits!.Value];
        var row = words[..columns];
        BitStream.Unpack(row, parameter.Bits.Value, codes);
        if (codes.AsSpan().ContainsAnyExcept(codes[0]))
            return null;
        for (var at = columns; at < words.Length; at += columns)
        {
            if (!words.Slice(at, columns).SequenceEqual(row))
                return null;
        }
        return codes[0];
    }

    private static int Middle(ParameterStorage parameter) => 1 << (parameter.Bits!.Value - 1);

    private static string Count(List<ParameterStorage> parameters) => parameters.Count == 1 ? parameters[0].Name : $"{parameters.Count:N0} layers, first {parameters[0].Name},";
}
