using System.Runtime.InteropServices;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Saving;

/// <summary>A trained model as a GGUF file, with the metadata of the file that it was made from: matrices in F16, vectors in F32, as llama.cpp converts.</summary>
internal static class GgufFile
{
    /// <summary><c>general.file_type</c> of a file whose matrices are F16 (llama.h, LLAMA_FTYPE_MOSTLY_F16).</summary>
    private const uint MostlyF16 = 1;

    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string path, Checkpoint source, GgufMetadata metadata, Decoder decoder)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var reader = new WeightReader(source, quantization: null);
        var trained = decoder.Tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Value);
        var tensors = source.Tensors
            .Select(tensor => new SavedTensor(tensor.Name, tensor.Dimensions.Length >= 2 ? ScalarType.Float16 : ScalarType.Float32, [.. tensor.Dimensions], trained.GetValueOrDefault(tensor.Name) ?? (() => Stored(reader, tensor))))
            .ToList();
        var keys = new GgufKeyValues();
        keys.CopyFrom(metadata, key => !key.StartsWith("split.", StringComparison.Ordinal) && !key.StartsWith("plimsoll.", StringComparison.Ordinal) && !key.StartsWith("quantize.", StringComparison.Ordinal));
        keys.UInt32("general.file_type", MostlyF16);
        var layout = GgufWriter.Layout(keys, [.. tensors.Select(tensor => new GgufTensorInfo(tensor.Name, TensorFile.FormatOf(tensor.Type), [.. tensor.Shape]))]);
        TensorFile.Write(path, layout.Header, layout.Offsets.Zip(tensors), layout.Length);
    }

    /// <summary>What is not trained, such as the factors of rotations.</summary>
    private static Tensor Stored(WeightReader reader, TensorHeader tensor)
    {
        var weight = reader.Open(tensor);
        var values = empty([.. tensor.Dimensions], dtype: ScalarType.Float32);
        weight.ReadRows(0, MemoryMarshal.Cast<byte, float>(values.bytes));
        return values;
    }
}
