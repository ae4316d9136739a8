namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>What memory is for, as far as the words of its stack tell: a heuristic, since a snapshot does not say.</summary>
public enum MemoryCategory
{
    /// <summary>No stack was recorded.</summary>
    Unknown,
    Weights,
    Gradients,
    OptimizerStates,
    Activations,
    KvCache,
    Inputs,
    Communication,
    Other,
}

public static class MemoryCategories
{
    /// <summary>The first row with a word in a frame, written as file and function, decides: an optimizer's step may call forward, and forward is nearly everywhere.</summary>
    private static readonly (MemoryCategory Category, string[] Words)[] Table =
    [
        (MemoryCategory.OptimizerStates, ["_init_group", "/torch/optim/", "/bitsandbytes/optim/", "_multi_tensor_adam"]),
        (MemoryCategory.Gradients, ["backward", "Engine::evaluate_function", "AccumulateGrad"]),
        (MemoryCategory.Communication, ["ProcessGroupNCCL", "/torch/distributed/"]),
        (MemoryCategory.KvCache, ["cache_utils", "past_key_values", "kv_cache"]),
        (MemoryCategory.Weights, ["from_pretrained", "load_state_dict", "reset_parameters", "/module.py _apply", "load_model"]),
        (MemoryCategory.Activations, ["forward", "_call_impl"]),
        (MemoryCategory.Inputs, ["DataLoader", "collate", "get_batch", "pin_memory"]),
        (MemoryCategory.Weights, ["__init__"]),
    ];

    public static string Describe(this MemoryCategory category) => category switch
    {
        MemoryCategory.Unknown => "unknown",
        MemoryCategory.Weights => "weights",
        MemoryCategory.Gradients => "backward pass",
        MemoryCategory.OptimizerStates => "optimizer states",
        MemoryCategory.Activations => "activations",
        MemoryCategory.KvCache => "KV cache",
        MemoryCategory.Inputs => "inputs",
        MemoryCategory.Communication => "communication",
        _ => "other",
    };

    public static MemoryCategory Of(StackTable stacks, int stack)
    {
        if (stack == StackTable.None)
            return MemoryCategory.Unknown;
        var frames = stacks.Frames(stack).Select(frame => $"{frame.File.Replace('\\', '/')} {frame.Name}").ToList();
        return Table.FirstOrDefault(row => frames.Any(frame => row.Words.Any(word => frame.Contains(word, StringComparison.Ordinal))), (MemoryCategory.Other, [])).Category;
    }
}
