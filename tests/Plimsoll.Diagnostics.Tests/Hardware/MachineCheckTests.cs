using System.Collections.Immutable;
using Plimsoll.Diagnostics.Hardware;

namespace Plimsoll.Diagnostics.Tests.Hardware;

public class MachineCheckTests
{
    private const long GiB = 1L << 30;

    private static readonly GpuReading Card = new(0, "RTX 4090", "GPU-1", 24 * GiB, 4 * GiB, 20 * GiB, 0, "8.9", null, false, []);

    private static readonly MachineFacts Good = new(new("NVML", "580.1", [Card], []), 16, [("AVX2", true)], 32 * GiB, 64 * GiB, "/models", true, 500 * GiB) { Trainer = new(true, true, "libtorch 2.7.1", null) };

    [Fact]
    public void A_good_machine_needs_no_fix() => Assert.All(MachineChecks.Of(Good), check => Assert.Equal((CheckStatus.Ok, null), (check.Status, check.Fix)));

    public static TheoryData<string, string> Faults => new()
    {
        { "gpu", "No GPU is available: NVML: the driver is not loaded" },
        { "gpu", "memory not available from the driver" },
        { "gpu", "23.00 GiB of 24.00 GiB in use" },
        { "gpu", "MIG on" },
        { "cpu", "no vector instructions" },
        { "memory", "2.00 GiB of 64.00 GiB" },
        { "disk", "1.07 GB are free" },
        { "disk", "not available" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_a_warning_that_says_what_was_found(string check, string message)
    {
        var facts = message switch
        {
            "no vector instructions" => Good with { CpuFeatures = [("AVX2", false)] },
            "2.00 GiB of 64.00 GiB" => Good with { MemoryAvailableBytes = 2 * GiB },
            "1.07 GB are free" => Good with { DiskFreeBytes = GiB },
            "not available" => Good with { DiskFreeBytes = null },
            "MIG on" => WithGpus(Card with { Mig = true }),
            "23.00 GiB of 24.00 GiB in use" => WithGpus(Card with { UsedBytes = 23 * GiB }),
            "memory not available from the driver" => WithGpus(Card with { TotalBytes = null, UsedBytes = null }),
            _ => Good with { Gpus = GpuInventory.Missing("NVML: the driver is not loaded") },
        };
        var found = Assert.Single(MachineChecks.Of(facts), one => one.Status != CheckStatus.Ok);
        Assert.Equal((check, CheckStatus.Warning), (found.Check, found.Status));
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Failures => new()
    {
        { "gpu", "GPU 1: the GPU has fallen off the bus" },
        { "hub-cache", "/models cannot be used: it is a file" },
        { "libtorch", "Training does not work: libcudart.so.12 is missing" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void What_is_there_and_does_not_work_has_failed(string check, string message)
    {
        var facts = check switch
        {
            "gpu" => Good with { Gpus = new("NVML", "580.1", [Card], ["GPU 1: the GPU has fallen off the bus"]) { IsBroken = true } },
            "hub-cache" => Good with { HubCacheProblem = "it is a file" },
            _ => Good with { Trainer = new(true, false, "libcudart.so.12 is missing", "install it") },
        };
        var found = Assert.Single(MachineChecks.Of(facts), one => one.Status == CheckStatus.Failed);
        Assert.Equal(check, found.Check);
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
        Assert.NotNull(found.Fix);
    }

    [Fact]
    public void A_trainer_that_is_not_installed_is_no_failure()
    {
        var found = Assert.Single(MachineChecks.Of(Good with { Trainer = new(false, false, "plimsoll-torch is not installed", "install it") }), one => one.Status != CheckStatus.Ok);
        Assert.Equal(("libtorch", CheckStatus.Warning), (found.Check, found.Status));
        Assert.DoesNotContain(MachineChecks.Of(Good with { Trainer = null }), one => one.Check == "libtorch");
    }

    [Fact]
    public void Shared_memory_and_instances_are_said()
    {
        Assert.Contains("shares the memory of the host, 4.00 GiB of 24.00 GiB in use", MachineChecks.Of(WithGpus(Card with { IsUnified = true }))[0].Message, StringComparison.Ordinal);
        var divided = MachineChecks.Of(WithGpus(Card with { Mig = true, Instances = [new(0, "MIG-1", 12 * GiB, GiB, 11 * GiB), new(3, null, null, null, null)] }))[0];
        Assert.Contains("MIG on with 2 instances: 0 (1.00 GiB of 12.00 GiB), 3 (memory not available)", divided.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_without_a_figure_is_not_said_to_hold_nothing()
    {
        var check = MachineChecks.Of(WithGpus(Card with { Processes = [new(7, null), new(8, GiB)] }))[0];
        Assert.EndsWith("2 processes: 7 (memory not available), 8 (1.00 GiB)", check.Message, StringComparison.Ordinal);
    }

    private static MachineFacts WithGpus(params ImmutableArray<GpuReading> gpus) => Good with { Gpus = new("NVML", "580.1", gpus, []) };
}
