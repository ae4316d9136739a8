using System.Text.Json;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Cli.Gpus;

/// <summary>The GPU catalog as <c>plimsoll.gpus/1</c>: every figure with its source, absent where nothing is known.</summary>
internal static class GpusJson
{
    public static void Write(TextWriter output, IReadOnlyList<GpuSpec> gpus) =>
        JsonOutput.Write(output, "plimsoll.gpus/1", json => json.WriteArray("gpus", gpus, gpu => WriteGpu(json, gpu)));

    private static void WriteGpu(Utf8JsonWriter writer, GpuSpec gpu)
    {
        writer.WriteStartObject();
        writer.WriteString("id", gpu.Id);
        writer.WriteString("name", gpu.Name);
        writer.WriteString("vendor", gpu.Vendor);
        WriteText(writer, "architecture", gpu.Architecture);
        WriteText(writer, "compute_capability", gpu.ComputeCapability);
        writer.WriteNumber("labelled_bytes", gpu.LabelledMemory.Bytes);
        writer.WriteNumber("usable_bytes", gpu.UsableMemory.Bytes);
        writer.WriteBoolean("unified_memory", gpu.UnifiedMemory);
        WriteFigure(writer, "reported_mib", gpu.ReportedMiB);
        WriteFigure(writer, "usable_mib", gpu.UsableMiB);
        WriteFigure(writer, "bandwidth_gb_per_second", gpu.Bandwidth);
        writer.WriteStartObject("dense_tflops");
        foreach (var (kind, rate) in gpu.Rates.OrderBy(pair => pair.Key))
            WriteFigure(writer, GpuRates.NameOf(kind), rate);
        writer.WriteEndObject();
        WriteFigure(writer, "cores", gpu.Cores);
        WriteFigure(writer, "tensor_cores", gpu.TensorCores);
        WriteFigure(writer, "pcie_gb_per_second", gpu.PcieBandwidth);
        WriteFigure(writer, "nvlink_gb_per_second", gpu.NvlinkBandwidth);
        WriteFigure(writer, "power_watts", gpu.PowerWatts);
        WriteFigure(writer, "launch_year", gpu.LaunchYear);
        WriteFigure(writer, "launch_price_usd", gpu.LaunchPriceUsd);
        writer.WriteStartArray("rental");
        foreach (var price in gpu.RentalPrices)
            WritePrice(writer, price);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WritePrice(Utf8JsonWriter writer, RentalPrice price)
    {
        writer.WriteStartObject();
        writer.WriteNumber("usd_per_hour", price.UsdPerHour);
        writer.WriteString("provider", price.Provider);
        writer.WriteString("kind", price.Kind);
        WriteText(writer, "as_of", price.AsOf);
        writer.WriteString("source", price.Source);
        writer.WriteEndObject();
    }

    private static void WriteFigure(Utf8JsonWriter writer, string name, Sourced? figure)
    {
        if (figure is null)
            return;
        writer.WriteStartObject(name);
        writer.WriteNumber("value", figure.Value);
        writer.WriteString("source", figure.Source);
        if (figure.Mark != SourceMark.Cited)
            writer.WriteString("mark", figure.Mark == SourceMark.Derived ? "derived" : "conflict");
        WriteText(writer, "note", figure.Note);
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
            writer.WriteString(name, value);
    }
}
