using Plimsoll.Cli.Quantize.Sizing;
using Plimsoll.Quantization.Output;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Cli.Quantize;

/// <summary>What a run did, or is going to take, for a program.</summary>
internal static class QuantizeJson
{
    public static void Write(TextWriter output, QuantizeResult result) => JsonOutput.Write(output, "plimsoll.quantize/1", json =>
    {
        var report = result.Report;
        json.WriteString("output", result.Output);
        json.WriteStrings("files", report.Files);
        json.WriteString("format", result.Format);
        json.WriteNumber("file_bytes", report.FileBytes);
        json.WriteNumber("source_bytes", result.SourceBytes);
        json.WriteNumber("weights", report.Weights);
        json.WriteNumber("bits_per_weight", report.BitsPerWeight);
        json.WriteNumber("relative_error", report.RelativeError);
        json.WriteNumber("non_finite", report.NonFinite);
        json.WriteArray("types", result.Types, line =>
        {
            json.WriteStartObject();
            json.WriteString("type", line.Type);
            json.WriteNumber("tensors", line.Tensors.Length);
            json.WriteNumber("weights", line.Weights);
            json.WriteNumber("bytes", line.Bytes);
            json.WriteNumber("bits_per_weight", line.BitsPerWeight);
            json.WriteNumber("relative_error", line.RelativeError);
            json.WriteEndObject();
        });
        json.WriteArray("tensors", report.Tensors, tensor =>
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Name);
            json.WriteString("type", tensor.Type);
            json.WriteNumber("weights", tensor.Weights);
            json.WriteNumber("bytes", tensor.Bytes);
            json.WriteNumber("rmse", tensor.RootMeanSquareError);
            json.WriteNumber("relative_error", tensor.RelativeError);
            json.WriteEndObject();
        });
        if (result.Sizing is { } sizing)
            SizingJson.Write(json, sizing);
        json.WriteNumber("threads", result.Threads);
        json.WriteNumber("resumed_tensors", report.ResumedTensors);
        json.WriteNumber("seconds", report.Elapsed.TotalSeconds);
        json.WriteNumber("peak_rss_bytes", report.PeakBytes);
        json.WriteNumber("planned_peak_bytes", report.Plan.PeakBytes);
        json.WriteStrings("notes", result.Notes);
    });

    public static void Write(TextWriter output, QuantizationRequest request, QuantizeTarget target, OutputPlan plan, QuantizationPreview preview) => JsonOutput.Write(output, "plimsoll.quantize_plan/1", json =>
    {
        json.WriteString("output", request.Target);
        json.WriteString("format", target.Format);
        json.WriteNumber("threads", request.Threads);
        json.WriteNumber("tensors", plan.Files.Sum(file => file.Jobs.Length));
        json.WriteNumber("weights", preview.Weights);
        json.WriteNumber("planned_peak_bytes", preview.Plan.PeakBytes);
        json.WriteNumber("resident_bytes", preview.Plan.ResidentBytes);
        json.WriteNumber("output_buffer_bytes", preview.Plan.OutputBytes);
        json.WriteNumber("piece_bytes", preview.Plan.PieceBytes);
        json.WriteNumber("calibration_bytes", preview.Plan.CalibrationBytes);
        json.WriteNumber("runtime_bytes", preview.Plan.RuntimeBytes);
        json.WriteNumber("disk_bytes", preview.Plan.DiskBytes);
        json.WriteNumber("free_disk_bytes", preview.FreeDiskBytes);
        if (preview.Expected is { } expected)
            json.WriteNumber("expected_seconds", expected.TotalSeconds);
        json.WriteStrings("notes", plan.Notes);
    });
}
