using Plimsoll.Checkpoints.Safetensors;
using Plimsoll.Numerics;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Saving;

/// <summary>Tensors as a safetensors file.</summary>
internal static class TensorFile
{
    /// <summary>Bytes that are handed to the file at once.</summary>
    private const int PieceBytes = 1 << 24;

    /// <summary>Writes tensors under another name first, flushes, and renames: a file with this name is whole.</summary>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string path, IEnumerable<(string Name, Tensor Value)> tensors, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var list = tensors.ToList();
        var plan = SafetensorsWriter.Plan(list.Select(tensor => new SafetensorsEntry(tensor.Name, FormatOf(tensor.Value.dtype), [.. tensor.Value.shape])), metadata);
        var partial = path + ".partial";
        try
        {
            using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write))
            {
                file.SetLength(plan.Length);
                file.Write(plan.Header.Span);
                foreach (var (name, value) in list)
                    Write(file, plan.Places[name], value);
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

    private static void Write(FileStream file, long place, Tensor value)
    {
        using var scope = NewDisposeScope();
        file.Position = place;
        var flat = value.detach().cpu().contiguous().flatten();
        var step = PieceBytes / flat.element_size();
        for (var at = 0L; at < flat.shape[0]; at += step)
            file.Write(flat.narrow(0, at, Math.Min(step, flat.shape[0] - at)).bytes);
    }
}
