using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Kv;

namespace Plimsoll.Planning.Calibration;

/// <summary>A logged run as a line of measured cases, which <c>plimsoll accuracy</c> reads.</summary>
/// <remarks>Settings are the log's own; what it does not print is the plan's. See <see cref="Accuracy.MeasuredCase"/> for the fields.</remarks>
public static class CaseExport
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The case on one line, without a line end.</summary>
    /// <exception cref="EngineLogException">The case format has no place for a setting of the plan.</exception>
    public static string Line(InferenceRequest request, EngineLog log, string id, DateOnly date)
    {
        Refuse(request);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("kind", "inference");
            json.WriteString("framework", request.Engine.Id);
            json.WriteString("version", Version(request.Engine));
            json.WriteString("model", request.Model.Id);
            if (log.Setting("file_size") is { } size)
                json.WriteString("file_size", size);
            WriteArchitecture(json, log);
            json.WriteStartObject("settings");
            WriteSettings(json, request, log);
            json.WriteEndObject();
            json.WriteStartObject("measured");
            WriteMeasured(json, log);
            json.WriteEndObject();
            json.WriteString("source", string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(log.Path)}, read {date:yyyy-MM-dd}"));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Refuse(InferenceRequest request)
    {
        if (request.Engine.Id is not ("llama.cpp" or "ik_llama.cpp" or "vllm" or "transformers"))
            throw new EngineLogException($"runs of {request.Engine.Id} cannot be exported as a case; llama.cpp, ik_llama.cpp, vllm and transformers can");
        if (request.Engine.Id == "transformers" && (!request.FlashAttention || request.KvFormat != KvFormat.Fp16))
            throw new EngineLogException("a case of transformers has no field for eager attention or a quantized KV cache; this run cannot be exported");
    }

    /// <summary>The version in the form by which a case finds its profile.</summary>
    private static string Version(EngineProfile engine) => engine.Id switch
    {
        "vllm" => $"vllm@{engine.Since}",
        "transformers" => $"transformers {engine.Since}",
        _ => engine.Since,
    };

    private static void WriteArchitecture(Utf8JsonWriter json, EngineLog log)
    {
        json.WriteStartObject("arch");
        foreach (var (name, value) in log.Architecture)
        {
            if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                json.WriteNumber(name, number);
            else
                json.WriteString(name, value);
        }
        json.WriteEndObject();
    }

    private static void WriteSettings(Utf8JsonWriter json, InferenceRequest request, EngineLog log)
    {
        json.WriteString("quant", log.Kind == EngineLogKind.LlamaCpp ? log.Setting("quant") ?? request.Weights.Precision : request.Weights.Precision);
        switch (log.Kind)
        {
            case EngineLogKind.LlamaCpp:
                WriteLlamaCpp(json, request, log);
                break;
            case EngineLogKind.Vllm:
                WriteVllm(json, request, log);
                break;
            default:
                json.WriteNumber("batch", request.Batch);
                json.WriteNumber("gpus", request.Parallel.Pipeline);
                json.WriteNumber("input_tokens", request.PromptTokens);
                json.WriteNumber("generated_tokens", request.Context - request.PromptTokens);
                break;
        }
    }

    private static void WriteLlamaCpp(Utf8JsonWriter json, InferenceRequest request, EngineLog log)
    {
        json.WriteString("n_ctx", log.Setting("n_ctx") ?? Text(request.Context * request.Batch));
        json.WriteString("n_ubatch", log.Setting("n_ubatch") ?? Text(request.LlamaCpp.MicroBatch));
        json.WriteString("n_seq_max", log.Setting("n_seq_max") ?? Text(request.LlamaCpp.Slots));
        json.WriteString("flash_attn", log.Setting("flash_attn") ?? (request.FlashAttention ? "1" : "0"));
        json.WriteString("kv_types", log.Setting("kv_types") ?? $"K ({request.KvFormat.Key.Name}), V ({request.KvFormat.Value.Name})");
        foreach (var name in new[] { "n_batch", "mla", "fused_moe", "attn_max_b" }.Where(log.Settings.ContainsKey))
            json.WriteString(name, log.Settings[name]);
        if (request.LlamaCpp.CpuExpertLayers > 0)
            json.WriteNumber("n_cpu_moe", request.LlamaCpp.CpuExpertLayers);
        if (log.Setting("offloaded_layers")?.Split('/') is [var on, var of])
            json.WriteArray("offloaded_layers", on, of);
        else if (request.LlamaCpp.GpuLayers is { } layers)
            json.WriteNumber("n_gpu_layers", layers);
    }

    private static void WriteVllm(Utf8JsonWriter json, InferenceRequest request, EngineLog log)
    {
        var engine = request.Engine;
        json.WriteNumber("tp", request.Parallel.Tensor);
        json.WriteString("max_model_len", log.Setting("max_model_len") ?? Text(request.Context));
        json.WriteString("max_num_batched_tokens", log.Setting("max_num_batched_tokens") ?? Text(request.Vllm.MaxBatchedTokens ?? (long)engine.Number("max_batched_tokens")));
        json.WriteString("max_num_seqs", log.Setting("max_num_seqs") ?? Text(request.Vllm.MaxSequences ?? (long)engine.Number("max_sequences")));
        json.WriteString("gpu_memory_utilization", log.Setting("gpu_memory_utilization") ?? (request.Vllm.Utilization ?? engine.Number("utilization")).ToString(CultureInfo.InvariantCulture));
        json.WriteString("kv_cache_dtype", request.KvFormat.Key.Name);
        json.WriteBoolean("enforce_eager", request.Vllm.EnforceEager);
        if (request.DeviceBytes is { } device)
            json.WriteNumber("gpu_mib_total", new ByteSize(device).InMiB);
    }

    private static void WriteMeasured(Utf8JsonWriter json, EngineLog log)
    {
        switch (log.Kind)
        {
            case EngineLogKind.LlamaCpp:
                WriteBuffers(json, log);
                break;
            case EngineLogKind.Vllm:
                WriteLargest(json, "weights_mib", log, LogTerm.Weights);
                WriteLargest(json, "non_torch_mib", log, LogTerm.Context);
                WriteLargest(json, "activation_peak_mib", log, LogTerm.ActivationPeak);
                WriteLargest(json, "graphs_mib", log, LogTerm.Graphs);
                if (log.Of(LogTerm.KvCache).MinBy(size => size.Bytes) is { } pool)
                    json.WriteNumber("kv_mib", MiB(pool.Bytes));
                if (VllmCalibration.Tokens(log) is { } tokens)
                    json.WriteNumber("kv_tokens", tokens);
                break;
            default:
                json.WriteNumber("total_mib", MiB(log.Of(LogTerm.Allocated).Sum(size => size.Bytes)));
                json.WriteString("metric", "peak of allocated memory, summed over GPUs");
                break;
        }
    }

    private static void WriteBuffers(Utf8JsonWriter json, EngineLog log)
    {
        json.WriteStartArray("weights_by_buffer");
        foreach (var buffer in log.Of(LogTerm.Weights))
        {
            json.WriteStartArray();
            json.WriteStringValue(buffer.Place);
            json.WriteNumberValue(MiB(buffer.Bytes));
            json.WriteEndArray();
        }
        json.WriteEndArray();
        if (log.Of(LogTerm.KvCache).Any())
            json.WriteNumber("kv_mib", MiB(log.Of(LogTerm.KvCache).Sum(size => size.Bytes)));
        json.WriteStartObject("compute_by_buffer_mib");
        foreach (var buffer in log.Of(LogTerm.Compute))
            json.WriteNumber(buffer.Place, MiB(buffer.Bytes));
        json.WriteEndObject();
        if (log.Of(LogTerm.Context).Any())
            json.WriteNumber("unaccounted_mib", MiB(log.Of(LogTerm.Context).Max(size => size.Bytes)));
    }

    private static void WriteLargest(Utf8JsonWriter json, string name, EngineLog log, LogTerm term)
    {
        if (log.Of(term).MaxBy(size => size.Bytes) is { } largest)
            json.WriteNumber(name, MiB(largest.Bytes));
    }

    private static void WriteArray(this Utf8JsonWriter json, string name, string on, string of)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(int.Parse(on, CultureInfo.InvariantCulture));
        json.WriteNumberValue(int.Parse(of, CultureInfo.InvariantCulture));
        json.WriteEndArray();
    }

    private static double MiB(long bytes) => Math.Round(new ByteSize(bytes).InMiB, 4);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
