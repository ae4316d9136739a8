using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Opening;

namespace Plimsoll.Checkpoints;

/// <summary>What a checkpoint on disk stores: every tensor by name, format, shape and place. Only headers are read, whatever its size.</summary>
public sealed record Checkpoint
{
    /// <summary>The file or folder, as the user named it.</summary>
    public required string Path { get; init; }

    public required CheckpointFormat Format { get; init; }

    /// <summary>The files that were read, in the order of their names.</summary>
    public required ImmutableArray<string> Files { get; init; }

    /// <summary>Every tensor of every file. Tied tensors of PyTorch archives appear under each of their names with the same place.</summary>
    public required ImmutableArray<TensorHeader> Tensors { get; init; }

    /// <summary>The metadata of a GGUF file (the first of a split one); null for the other formats.</summary>
    public GgufMetadata? Gguf { get; init; }

    /// <summary>The version of the GGUF layout, 2 or 3; null for the other formats.</summary>
    public int? GgufVersion { get; init; }

    /// <summary>The index that says which file holds which tensor; null without one.</summary>
    public ShardIndex? Index { get; init; }

    /// <summary>Free-form text beside the tensors: <c>__metadata__</c> of safetensors, plain values of PyTorch archives.</summary>
    public ImmutableDictionary<string, string> Metadata { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The <c>config.json</c> beside the tensors; null when there is none.</summary>
    public string? ConfigPath { get; init; }

    /// <summary>Files that an index or a split name promises and that are not there. Their tensors are not in <see cref="Tensors"/>.</summary>
    public ImmutableArray<string> MissingFiles { get; init; } = [];

    /// <summary>Contradictions between files that are each readable, as sentences: missing shards, misplaced tensors, wrong totals.</summary>
    public ImmutableArray<string> Problems { get; init; } = [];

    /// <summary>The tensors without those that only repeat the bytes of an earlier one (tied weights).</summary>
    public IEnumerable<TensorHeader> DistinctTensors => Tensors.DistinctBy(tensor =>
        tensor.Bytes == 0 ? (tensor.Name, 0L, 0L) : (tensor.File, tensor.Offset, tensor.Bytes));

    /// <summary>Bytes of tensor data in the files; what several tensors share counts once, padding not at all.</summary>
    public long StoredBytes
    {
        get
        {
            var total = 0L;
            foreach (var file in Tensors.GroupBy(tensor => tensor.File, StringComparer.Ordinal))
            {
                var end = 0L;
                foreach (var tensor in file.OrderBy(tensor => tensor.Offset))
                {
                    var tensorEnd = tensor.Offset + tensor.Bytes;
                    total = checked(total + Math.Max(0, tensorEnd - Math.Max(end, tensor.Offset)));
                    end = Math.Max(end, tensorEnd);
                }
            }
            return total;
        }
    }

    /// <summary>Opens a <c>.safetensors</c>, <c>.gguf</c>, <c>.bin</c>, <c>.pt</c> or <c>.pth</c> file, any file of a split checkpoint, an index, or a folder.</summary>
    /// <remarks>
    /// The content decides the format, not the name. Of a folder: the index of safetensors shards, else <c>model.safetensors</c>, else all other
    /// <c>*.safetensors</c>, else <c>pytorch_model*.bin</c> (index preferred) or one <c>consolidated.00.pth</c>, else its only GGUF.
    /// </remarks>
    /// <exception cref="CheckpointFormatException">A file is broken or of another kind, or the folder holds no checkpoint or several.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public static Checkpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Directory.Exists(path) ? CheckpointFolder.Open(path) : CheckpointFiles.Open(path);
    }

    /// <summary>The paths in a folder that <see cref="Open"/> takes: the folder itself if it holds a Hugging Face checkpoint, and every GGUF.</summary>
    public static ImmutableArray<string> Locate(string folder) => CheckpointFolder.Locate(folder);

    /// <summary>Every path in a folder that <see cref="Open"/> takes: what <see cref="Locate"/> finds, and files that stand alone.</summary>
    /// <remarks>
    /// Safetensors files that belong together neither by an index, nor by their numbers, nor by a <c>config.json</c>, are one checkpoint each. Other files
    /// of a Hugging Face folder (a second copy in another layout) are left out.
    /// </remarks>
    public static ImmutableArray<string> LocateAll(string folder) => CheckpointFolder.LocateAll(folder);

    /// <summary>Opens everything that <see cref="Locate"/> finds.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static ImmutableArray<Checkpoint> FindAll(string folder) => [.. Locate(folder).Select(Open)];
}
