using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Torch.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Saving;

/// <summary>A trained model as a folder in Hugging Face's layout, with the configuration and tokenizer of the model that it was made from.</summary>
internal static class ModelFolder
{
    /// <param name="source">The folder of that model, or its <c>config.json</c>.</param>
    /// <param name="type">What the weights are rounded to.</param>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string folder, string source, Decoder decoder, ScalarType type) =>
        Write(folder, source, TensorFile.FormatOf(type), decoder.Tensors.Select(tensor => new SavedTensor(tensor.Name, type, ShapeOf(tensor.Value), tensor.Value)));

    /// <param name="source">The folder of that model, or its <c>config.json</c>.</param>
    /// <param name="published">What the configuration says of the weights.</param>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string folder, string source, NumberFormat published, IEnumerable<SavedTensor> tensors)
    {
        Directory.CreateDirectory(folder);
        var home = Directory.Exists(source) ? source : Path.GetDirectoryName(Path.GetFullPath(source))!;
        var config = Path.Combine(home, "config.json");
        WholeFile.Write(Path.Combine(folder, "config.json"), ConfigFile.Cast(ModelConfig.Parse(config, File.ReadAllBytes(config)), published).Content!.Value.Span);
        foreach (var side in SideFiles.Of(home))
            File.Copy(side.CopyOf!, Path.Combine(folder, side.Name), overwrite: true);
        TensorFile.Write(Path.Combine(folder, "model.safetensors"), tensors, []);
    }

    private static long[] ShapeOf(Func<Tensor> value)
    {
        using var scope = NewDisposeScope();
        return value().shape;
    }
}
