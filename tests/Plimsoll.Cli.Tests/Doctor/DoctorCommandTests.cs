using Plimsoll.Diagnostics.Hardware;

namespace Plimsoll.Cli.Tests.Doctor;

public class DoctorCommandTests
{
    [Fact]
    public void Every_check_has_a_line_and_a_fix_where_it_is_needed()
    {
        var run = CommandRun.Of("doctor");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning  No GPU is available: no GPU was asked", run.Output, StringComparison.Ordinal);
        Assert.Contains("fix: install the driver", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_work_fails_the_command()
    {
        var run = CommandRun.Of(environment => environment with { Trainer = () => new(true, false, "libtorch.so cannot be loaded", "name another") }, "doctor");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("failed   Training does not work: libtorch.so cannot be loaded", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_available_is_null()
    {
        var gpu = new GpuReading(0, "GB10", null, null, null, null, null, "12.1", null, null, [new(7, null)]);
        var answer = CommandRun.Of(environment => environment with { Gpus = () => new("NVML", "580.1", [gpu], []) }, "doctor", "--json").Json;
        var told = answer.GetProperty("gpus")[0];
        Assert.Equal(System.Text.Json.JsonValueKind.Null, told.GetProperty("total_bytes").ValueKind);
        Assert.Equal("12.1", told.GetProperty("compute_capability").GetString());
    }
}
