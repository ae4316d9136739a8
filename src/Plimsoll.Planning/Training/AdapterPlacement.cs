using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Training;

/// <summary>One linear layer that carries an adapter.</summary>
/// <param name="Out">Output features.</param>
/// <param name="In">Input features.</param>
/// <param name="Count">How many equal matrices: the experts of a layer, else 1.</param>
public sealed record AdapterTarget(TensorShape Tensor, long Out, long In, long Count)
{
    /// <summary>A of (rank, in) and B of (out, rank); a magnitude per output with DoRA.</summary>
    public long Parameters(int rank, bool dora) => checked(Count * (rank * (In + Out) + (dora ? Out : 0)));
}

/// <summary>Finds the linear layers that adapters are put on, and counts what is trained.</summary>
public static class AdapterPlacement
{
    /// <summary>The fused names of query, key and value, for models that have no q_proj and v_proj.</summary>
    /// <remarks>Source: peft/utils/constants.py, TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.</remarks>
    private static readonly string[] FusedNames = ["query_key_value", "c_attn", "qkv_proj", "Wqkv", "W_pack", "qkv", "q_lin"];

    /// <summary>The matrices that <paramref name="adapter"/> names in <paramref name="model"/>.</summary>
    /// <exception cref="TrainingConflictException">A name matches nothing, or the rank is larger than a matrix.</exception>
    public static ImmutableArray<AdapterTarget> Resolve(ModelShape model, AdapterSettings adapter)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(adapter);
        var linear = model.Tensors.Where(tensor => tensor is { IsLinear: true, Layer: not null } && tensor.Role is not TensorRole.Tower and not TensorRole.NextToken).ToList();
        var names = adapter.Targets.Count == 0 ? ["default"] : adapter.Targets;
        var chosen = linear.Where(tensor => names.Any(name => Matches(name, tensor, linear))).ToList();
        if (names.FirstOrDefault(name => !linear.Any(tensor => Matches(name, tensor, linear))) is { } missing)
            throw new TrainingConflictException($"no linear layer of {model.Id} is called '{missing}'; choose from {string.Join(", ", linear.Select(ModuleName).Distinct().Order())}, or attention, all-linear, experts");
        var targets = chosen.Select(tensor => Target(tensor, model)).ToImmutableArray();
        if (targets.MinBy(target => Math.Min(target.In, target.Out)) is { } smallest && adapter.Rank > Math.Min(smallest.In, smallest.Out))
            throw new TrainingConflictException($"a rank of {adapter.Rank} is larger than the matrix {ModuleName(smallest.Tensor)} of {smallest.Out} x {smallest.In}; choose a rank of at most {Math.Min(smallest.In, smallest.Out)}");
        return targets;
    }

    /// <summary>Trainable parameters: the sum of rank x (in + out) over the targets, and one magnitude per output with DoRA.</summary>
    public static long Parameters(ModelShape model, AdapterSettings adapter) =>
        adapter.Parameters ?? Resolve(model, adapter).Sum(target => target.Parameters(adapter.Rank, adapter.Dora));

    private static bool Matches(string name, TensorShape tensor, List<TensorShape> linear) => name.ToLowerInvariant() switch
    {
        "default" => IsDefault(tensor, linear),
        "attention" => tensor.Role == TensorRole.Attention,
        "experts" => tensor.Role == TensorRole.Expert,
        "all-linear" => tensor.Role is not TensorRole.Expert and not TensorRole.Router,
        _ => ModuleName(tensor).Equals(name, StringComparison.OrdinalIgnoreCase),
    };

    /// <summary>What PEFT takes without target_modules: query and value, or the fused projection.</summary>
    private static bool IsDefault(TensorShape tensor, List<TensorShape> linear)
    {
        var name = ModuleName(tensor);
        if (linear.Any(candidate => ModuleName(candidate) is "q_proj") && linear.Any(candidate => ModuleName(candidate) is "v_proj"))
            return name is "q_proj" or "v_proj";
        if (linear.Any(candidate => FusedNames.Contains(ModuleName(candidate))))
            return FusedNames.Contains(name);
        return tensor.Role is TensorRole.Attention or TensorRole.Recurrent;
    }

    /// <summary><c>q_proj</c> of <c>model.layers.0.self_attn.q_proj.weight</c>; <c>gate_up_proj</c> of a stack of experts.</summary>
    internal static string ModuleName(TensorShape tensor)
    {
        var name = tensor.Name.EndsWith(".weight", StringComparison.Ordinal) ? tensor.Name[..^7] : tensor.Name;
        return name[(name.LastIndexOf('.') + 1)..];
    }

    private static AdapterTarget Target(TensorShape tensor, ModelShape model) => LinearStack.Of(tensor, model.HiddenSize) is { } stack
        ? new(tensor, stack.Out, stack.In, stack.Count)
        : new(tensor, tensor.Dimensions[^2], tensor.Dimensions[^1], tensor.Count);
}
