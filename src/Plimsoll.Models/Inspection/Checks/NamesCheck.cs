namespace Plimsoll.Models.Inspection.Checks;

/// <summary>Prefixes that training wrappers leave in names; transformers does not find such tensors.</summary>
internal static class NamesCheck
{
    public const string Name = "names";

    private static readonly (string Prefix, string Wrapper)[] Wrappers =
    [
        ("_orig_mod.", "torch.compile"), ("_fsdp_wrapped_module.", "FSDP"), ("_checkpoint_wrapped_module.", "activation checkpointing"), ("module.", "DistributedDataParallel"),
    ];

    public static IEnumerable<InspectionProblem> Find(CheckpointInspection inspection)
    {
        foreach (var (prefix, wrapper) in Wrappers)
        {
            var wrapped = inspection.Storages.Select(storage => storage.Name).Where(name => Has(name, prefix)).ToList();
            if (wrapped.Count > 0)
            {
                yield return InspectionProblem.Warning(Name,
                    $"{InspectionProblem.Count(wrapped.Count, "name", "carries", "carry")} the prefix '{prefix}' of {wrapper} ({InspectionProblem.Examples(wrapped, 1)}); loaders expect names without it.", wrapped);
            }
        }
    }

    /// <summary>At the start, or behind another folder of the file; <c>module.</c> is also an ordinary word inside names.</summary>
    private static bool Has(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) || name.StartsWith("model." + prefix, StringComparison.Ordinal)
        || prefix[0] == '_' && name.Contains("." + prefix, StringComparison.Ordinal);
}
