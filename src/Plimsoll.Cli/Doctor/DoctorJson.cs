using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Diagnostics.Hardware;

namespace Plimsoll.Cli.Doctor;

/// <summary><c>plimsoll.doctor/1</c>.</summary>
internal static class DoctorJson
{
    public static void Write(TextWriter output, MachineFacts facts, ImmutableArray<MachineCheck> checks) => JsonOutput.Write(output, DoctorCommand.Schema, json =>
    {
        json.WriteArray("checks", checks, check =>
        {
            json.WriteStartObject();
            json.WriteString("check", check.Check);
            json.WriteString("status", check.Status.ToString().ToLowerInvariant());
            json.WriteString("message", check.Message);
            json.WriteString("fix", check.Fix);
            json.WriteString("link", check.Link);
            json.WriteEndObject();
        });
        json.WriteString("gpu_source", facts.Gpus.Source);
        json.WriteString("driver", facts.Gpus.Driver);
        json.WriteArray("gpus", facts.Gpus.Gpus, gpu => WriteGpu(json, gpu));
    });

    private static void WriteGpu(Utf8JsonWriter json, GpuReading gpu)
    {
        json.WriteStartObject();
        json.WriteNumber("index", gpu.Index);
        json.WriteString("name", gpu.Name);
        json.WriteString("uuid", gpu.Uuid);
        json.WriteNumberOrNull("total_bytes", gpu.TotalBytes);
        json.WriteNumberOrNull("used_bytes", gpu.UsedBytes);
        json.WriteNumberOrNull("free_bytes", gpu.FreeBytes);
        json.WriteNumberOrNull("reserved_bytes", gpu.ReservedBytes);
        json.WriteBoolean("unified", gpu.IsUnified);
        json.WriteString("compute_capability", gpu.ComputeCapability);
        WriteSwitch("mig", gpu.Mig);
        WriteSwitch("ecc", gpu.Ecc);
        json.WriteArray("instances", gpu.Instances, instance =>
        {
            json.WriteStartObject();
            json.WriteNumber("index", instance.Index);
            json.WriteString("uuid", instance.Uuid);
            json.WriteNumberOrNull("total_bytes", instance.TotalBytes);
            json.WriteNumberOrNull("used_bytes", instance.UsedBytes);
            json.WriteNumberOrNull("free_bytes", instance.FreeBytes);
            json.WriteEndObject();
        });
        json.WriteArray("processes", gpu.Processes, process =>
        {
            json.WriteStartObject();
            json.WriteNumber("pid", process.Pid);
            json.WriteNumberOrNull("used_bytes", process.UsedBytes);
            json.WriteEndObject();
        });
        json.WriteEndObject();

        void WriteSwitch(string name, bool? value)
        {
            if (value is { } known)
                json.WriteBoolean(name, known);
            else
                json.WriteNull(name);
        }
    }
}
