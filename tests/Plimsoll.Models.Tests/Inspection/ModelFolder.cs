using Plimsoll.Models.Inspection;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Models.Tests.Inspection;

/// <summary>A model's folder that exists as long as the test runs.</summary>
internal sealed class ModelFolder : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public ModelFolder(IEnumerable<StoredTensor> tensors, string? config = null)
    {
        folder.Write("model.safetensors", SafetensorsBuilder.File(tensors, """{"format":"pt"}"""));
        if (config is not null)
            folder.Write("config.json", config);
    }

    /// <summary>A model with numbers in its tensors.</summary>
    /// <param name="change">Writes other bytes over those of a tensor.</param>
    public static ModelFolder Filled(IEnumerable<StoredTensor> tensors, string? config, Action<StoredTensor, Span<byte>>? change = null)
    {
        var model = new ModelFolder([], config);
        model.folder.Write("model.safetensors", FilledSafetensors.File(tensors, """{"format":"pt"}""", change));
        return model;
    }

    public ModelFolder Add(string name, string text)
    {
        folder.Write(name, text);
        return this;
    }

    public CheckpointInspection Inspect() => CheckpointInspector.Inspect(folder.Path);

    public void Dispose() => folder.Dispose();

    public static CheckpointInspection Inspect(IEnumerable<StoredTensor> tensors, string? config = null)
    {
        using var folder = new ModelFolder(tensors, config);
        return folder.Inspect();
    }
}
