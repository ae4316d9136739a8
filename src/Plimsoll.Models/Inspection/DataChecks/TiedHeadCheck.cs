using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models.Inspection.Checks;
using Plimsoll.Numerics;

namespace Plimsoll.Models.Inspection.DataChecks;

/// <summary>An output head that repeats the embedding, and one that the configuration calls the embedding although it is not.</summary>
internal static class TiedHeadCheck
{
    public const string Name = "tied-head";

    private const int PieceBytes = 1 << 20;

    public static IEnumerable<InspectionProblem> Find(DataInspection data)
    {
        var inspection = data.Inspection;
        if (VocabularyCheck.Embedding(inspection) is not { Layout: StorageLayout.Plain } embedding || Head(inspection) is not { Layout: StorageLayout.Plain } head
            || head.Main.Format != embedding.Main.Format || head.Main.Bytes != embedding.Main.Bytes)
            yield break;
        var isSame = AreSame(data, head.Main, embedding.Main);
        if (isSame && inspection.Shape?.TiedEmbeddings == false)
            yield return InspectionProblem.Warning(Name, $"{head.Name} has the bytes of {embedding.Name} ({new ByteSize(head.Bytes)} twice): {(inspection.Checkpoint!.Gguf is null ? "with tie_word_embeddings one is enough" : "where output.weight is absent llama.cpp takes the embedding")}.", [head.Name]);
        else if (!isSame && inspection.Shape?.TiedEmbeddings == true)
            yield return InspectionProblem.Error(Name, $"{head.Name} is stored and differs from {embedding.Name}, but tie_word_embeddings makes loaders ignore it: the model loses its output head; tie_word_embeddings should be false.", [head.Name]);
    }

    private static ParameterStorage? Head(CheckpointInspection inspection) => inspection.Storages.FirstOrDefault(storage =>
        storage.Kind is StorageKind.Parameter or StorageKind.Copy && storage.Name.EndsWith(".weight", StringComparison.Ordinal) && inspection.RoleOf(storage) == TensorRole.OutputHead && storage.Dimensions is [_, _]);

    private static bool AreSame(DataInspection data, TensorHeader left, TensorHeader right)
    {
        var (first, second) = (new byte[PieceBytes], new byte[PieceBytes]);
        for (var offset = 0L; offset < left.Bytes; offset += PieceBytes)
        {
            data.Cancellation.ThrowIfCancellationRequested();
            var length = (int)Math.Min(PieceBytes, left.Bytes - offset);
            data.Weights.Tensors.Read(left, offset, first.AsSpan(0, length));
            data.Weights.Tensors.Read(right, offset, second.AsSpan(0, length));
            if (!first.AsSpan(0, length).SequenceEqual(second.AsSpan(0, length)))
                return false;
        }
        return true;
    }
}
