using Plimsoll.Checkpoints.Safetensors;
using Plimsoll.Numerics;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Saving;

/// <summary>A tensor that a file is to hold, made when its turn comes.</summary>
/// <param name="Value">Converted to <paramref name="Type"/> when it is written.</param>
internal sealed record SavedTensor(string Name, ScalarType Type, long[] Shape, Func<Tensor> Value)
{
    public static SavedTensor Of(string name, Tensor value) => new(name, value.dtype, value.shape, () => value.detach());
}

/// <summary>Tensors as a safetensors file, or behind any other header.</summary>
internal static class TensorFile
{
    /// <summary>Bytes that are handed to the file at once.</summary>
    private const int PieceBytes = 1 << 24;

    /// <summary>Writes tensors under another name first, flushes, and renames: a file with this name is whole.</summary>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string path, IEnumerable<SavedTensor> tensors, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var list = tensors.ToList();
        var plan = SafetensorsWriter.Plan(list.Select(tensor => new SafetensorsEntry(tensor.Name, FormatOf(tensor.Type), [.. tensor.Shape])), metadata);
        Write(path, plan.Header, list.Select(tensor => (plan.Places[tensor.Name], tensor)), plan.Length);
    }

    /// <inheritdoc cref="Write(string, IEnumerable{SavedTensor}, IEnumerable{KeyValuePair{string, string}})"/>
    /// <param name="header">Everything before the first tensor.</param>
    /// <param name="places">Where each tensor begins, in bytes from the start of the file.</param>
    /// <param name="length">Bytes of the whole file.</param>
    public static void Write(string path, ReadOnlyMemory<byte> header, IEnumerable<(long Place, SavedTensor Tensor)> places, long length)
    {
        var partial = path + ".partial";
        try
        {
            using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write))
            {
                file.Write(header.Span);
                foreach (var (place, tensor) in places.OrderBy(pair => pair.Place))
                    Write(file, place, tensor);
                if (file.Position < length)
                    file.SetLength(length);
                file.Flush(flushToDisk: true);
            }
            File.Move(partial, path, overwrite: true);
        }
        catch (IOException)
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>The storage format of a type of libtorch.</summary>
    public static NumberFormat FormatOf(ScalarType type) => type switch
    {
        ScalarType.Float32 => NumberFormats.Fp32,
        ScalarType.BFloat16 => NumberFormats.Bf16,
        ScalarType.Float16 => NumberFormats.Fp16,
        ScalarType.Byte => NumberFormats.UInt8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "a type that is not saved"),
    };

    /// <summary>The type of libtorch that holds a storage format.</summary>
    public static ScalarType? TypeOf(NumberFormat format) =>
        new[] { ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16, ScalarType.Byte }.Where(type => FormatOf(type) == format).Select(type => (ScalarType?)type).FirstOrDefault();

    private static void Write(FileStream file, long place, SavedTensor tensor)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        file.Position = place;
        var flat = tensor.Value().to(tensor.Type).cpu().contiguous().flatten();
        var step = PieceBytes / flat.element_size();
        for (var at = 0L; at < flat.shape[0]; at += step)
            file.Write(flat.narrow(0, at, Math.Min(step, flat.shape[0] - at)).bytes);
    }
}
