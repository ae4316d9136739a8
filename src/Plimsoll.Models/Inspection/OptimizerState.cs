namespace Plimsoll.Models.Inspection;

/// <summary>Tells the tensors of an optimizer in a training checkpoint from those of the model.</summary>
internal static class OptimizerState
{
    private static readonly string[] Folders = ["optimizer.", "optim.", "optimizers.", "optimizer_state_dict.", "optimizer_states.", "base_optimizer_state.", "opt_state."];

    /// <summary>The moments that each optimizer keeps (torch.optim, bitsandbytes, transformers Adafactor).</summary>
    private static readonly (string Optimizer, string[] Moments)[] Optimizers =
    [
        ("Adam with AMSGrad", ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
        ("8-bit Adam", ["state1", "state2"]),
        ("Adafactor", ["exp_avg_sq_row"]),
        ("Adam or AdamW", ["exp_avg", "exp_avg_sq"]),
        ("Lion", ["exp_avg"]),
        ("SGD with momentum", ["momentum_buffer"]),
        ("RMSprop", ["square_avg"]),
    ];

    public static bool IsState(string name) =>
        Folders.Any(folder => name.StartsWith(folder, StringComparison.Ordinal)) || name.EndsWith(".exp_avg", StringComparison.Ordinal) || name.EndsWith(".exp_avg_sq", StringComparison.Ordinal);

    /// <summary>The optimizer whose moments these are; null when they are of none that is known.</summary>
    public static string? Recognize(IEnumerable<string> names)
    {
        var moments = names.Select(name => name[(name.LastIndexOf('.') + 1)..]).ToHashSet(StringComparer.Ordinal);
        return Optimizers.FirstOrDefault(row => row.Moments.All(moments.Contains)).Optimizer;
    }
}
