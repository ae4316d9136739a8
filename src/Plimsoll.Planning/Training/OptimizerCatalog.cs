using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Models;

namespace Plimsoll.Planning.Training;

/// <summary>How one state of an optimizer grows with a tensor.</summary>
public enum StateKind
{
    /// <summary>One number per parameter.</summary>
    Dense,

    /// <summary>Low-bit codes with an FP32 scale per block; small tensors stay in FP32.</summary>
    Blockwise,

    /// <summary>One number per row and per column of a matrix; vectors as dense.</summary>
    Factored,

    /// <summary>One number per parameter of hidden matrices only.</summary>
    Matrices,

    /// <summary>One number per parameter of everything but the hidden matrices.</summary>
    Rest,

    /// <summary>A rank times the longer side of a hidden matrix; everything else as dense.</summary>
    Projected,

    /// <summary>A rank times the shorter side of a hidden matrix; nothing for the rest.</summary>
    Projector,
}

/// <summary>Where an optimizer keeps its states.</summary>
public enum StatePlace
{
    Device,

    /// <summary>Managed memory that moves to the host when the GPU runs short.</summary>
    Paged,

    Host,
}

/// <summary>One state of an optimizer.</summary>
/// <param name="Bytes">Bytes per number; for blockwise states bits / 8 without the scale.</param>
/// <param name="Block">Numbers that share a scale.</param>
/// <param name="MinElements">Smaller tensors stay in FP32.</param>
public sealed record OptimizerState(string Name, StateKind Kind, double Bytes, int Block, long MinElements, long Rank)
{
    /// <summary>Bytes of this state for one tensor.</summary>
    public long BytesFor(TensorShape tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var (elements, count) = (tensor.ElementsOfOne, tensor.Count);
        var isHidden = tensor is { IsLinear: true, Layer: not null } && tensor.Dimensions.Length >= 2;
        var (longer, shorter) = Sides(tensor);
        var numbers = Kind switch
        {
            StateKind.Blockwise => 0,
            StateKind.Factored when tensor.Dimensions.Length >= 2 => elements / shorter / longer * (longer + shorter),
            StateKind.Matrices when !isHidden => 0,
            StateKind.Rest when isHidden => 0,
            StateKind.Projected when isHidden => elements / shorter * Math.Min(Rank, shorter),
            StateKind.Projector => isHidden ? shorter * Math.Min(Rank, shorter) : 0,
            _ => elements,
        };
        return Kind == StateKind.Blockwise ? checked(Blockwise(elements) * count) : checked((long)Math.Ceiling(numbers * Bytes) * count);
    }

    private long Blockwise(long elements) => elements < MinElements
        ? checked(4 * elements)
        : (long)Math.Ceiling(elements * Bytes) + checked((elements + Block - 1) / Block * 4);

    private static (long Longer, long Shorter) Sides(TensorShape tensor)
    {
        var (rows, columns) = tensor.Dimensions.Length >= 2 ? (tensor.Dimensions[^2], tensor.Dimensions[^1]) : (1, tensor.Dimensions[^1]);
        return (Math.Max(rows, columns), Math.Min(rows, columns));
    }
}

/// <summary>An optimizer as memory sees it.</summary>
/// <param name="OneLayer">Only one block of layers is trained at a time (BAdam).</param>
/// <param name="InBackward">Updates happen inside the backward pass.</param>
public sealed record OptimizerSpec(string Id, string Name, ImmutableArray<string> Aliases, ImmutableArray<OptimizerState> States, StatePlace Place, bool OneLayer, bool InBackward, string Source)
{
    /// <summary>Bytes of all states for one tensor.</summary>
    public long BytesFor(TensorShape tensor) => States.Sum(state => state.BytesFor(tensor));

    public override string ToString() => Name;
}

/// <summary>The optimizers that the planner knows.</summary>
public static class OptimizerCatalog
{
    public static ImmutableArray<OptimizerSpec> All { get; } = Load();

    /// <summary>Finds an optimizer by its name or by what transformers and bitsandbytes call it; null when unknown.</summary>
    public static OptimizerSpec? Find(string name)
    {
        var key = name.Trim().ToLowerInvariant();
        return All.FirstOrDefault(optimizer => optimizer.Id == key || optimizer.Aliases.Contains(key))
            ?? All.FirstOrDefault(optimizer => optimizer.Id == key.Replace('_', '-'));
    }

    private static ImmutableArray<OptimizerSpec> Load()
    {
        using var stream = typeof(OptimizerCatalog).Assembly.GetManifestResourceStream("optimizers.json")!;
        using var document = JsonDocument.Parse(stream);
        return [.. document.RootElement.GetProperty("optimizers").EnumerateArray().Select(Read)];
    }

    private static OptimizerSpec Read(JsonElement entry)
    {
        var rank = entry.TryGetProperty("rank", out var stated) ? stated.GetInt64() : 0;
        return new(
            entry.GetProperty("id").GetString()!,
            entry.GetProperty("name").GetString()!,
            [.. entry.GetProperty("aliases").EnumerateArray().Select(alias => alias.GetString()!)],
            [.. entry.GetProperty("states").EnumerateArray().Select(state => ReadState(state, rank))],
            entry.TryGetProperty("place", out var place) ? Enum.Parse<StatePlace>(place.GetString()!, ignoreCase: true) : StatePlace.Device,
            entry.TryGetProperty("one_layer", out var oneLayer) && oneLayer.GetBoolean(),
            entry.TryGetProperty("in_backward", out var inBackward) && inBackward.GetBoolean(),
            entry.GetProperty("source").GetString()!);
    }

    private static OptimizerState ReadState(JsonElement state, long rank) => new(
        state.GetProperty("name").GetString()!,
        Enum.Parse<StateKind>(state.GetProperty("kind").GetString()!, ignoreCase: true),
        state.TryGetProperty("bits", out var bits) ? bits.GetInt32() / 8.0 : state.GetProperty("bytes").GetDouble(),
        state.TryGetProperty("block", out var block) ? block.GetInt32() : 0,
        state.TryGetProperty("min_elements", out var least) ? least.GetInt64() : 0,
        rank);
}
