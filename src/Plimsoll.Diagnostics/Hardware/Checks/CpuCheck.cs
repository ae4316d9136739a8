using System.Globalization;

namespace Plimsoll.Diagnostics.Hardware.Checks;

/// <summary>Whether the processor has the instructions that the kernels are fastest with.</summary>
internal static class CpuCheck
{
    public static IEnumerable<MachineCheck> Of(MachineFacts facts)
    {
        var present = facts.CpuFeatures.Where(feature => feature.Available).Select(feature => feature.Name).ToList();
        var absent = facts.CpuFeatures.Where(feature => !feature.Available).Select(feature => feature.Name).ToList();
        var message = string.Create(CultureInfo.InvariantCulture, $"{facts.Processors} processors; {(present.Count > 0 ? string.Join(", ", present) : "no vector instructions")}{(absent.Count > 0 ? $"; without {string.Join(", ", absent)}" : "")}");
        yield return present.Count > 0
            ? new("cpu", CheckStatus.Ok, message, null, null)
            : new("cpu", CheckStatus.Warning, message, "kernels run, but many times slower: use a processor with AVX2 or AdvSimd, and unset DOTNET_EnableHWIntrinsic", "https://learn.microsoft.com/dotnet/standard/simd");
    }
}
