using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>The remedies that several checks name, with their costs.</summary>
internal static class Fixes
{
    /// <summary>Whether so many bytes make up the shortage of a case.</summary>
    public static bool? Enough(OutOfMemoryCase found, long? saves) => saves is { } bytes && found.Sheet.Shortage is { } shortage ? bytes >= shortage.Bytes + shortage.Rounding : null;

    public static Fix Save(OutOfMemoryCase found, string action, long? saves, string cost) => new(action, saves, cost, Enough(found, saves));

    /// <summary>What a user can do who only knows in which phase the memory of this process ran out; cheapest first.</summary>
    public static IEnumerable<Fix> ForPhase(OutOfMemoryCase found) => found.Phase switch
    {
        Phase.Load => Loading(),
        Phase.Generation => Generating(found),
        Phase.Evaluation => Evaluating(found),
        Phase.OptimizerStep => Optimizer().Concat(Training(found)),
        Phase.GraphCapture => [new("capture fewer sizes, or run without graphs (vLLM: --enforce-eager)", found.Event.Ledger.PrivatePools?.Bytes, "slower decoding of small batches")],
        Phase.Profiling => Serving(),
        Phase.Loss => Loss().Concat(Training(found)),
        Phase.Forward or Phase.Backward => Training(found),
        _ => General(found),
    };

    public static IEnumerable<Fix> Serving() =>
    [
        new("a shorter context or fewer sequences at once (vLLM: --max-model-len, --max-num-seqs)", null, "shorter prompts, or less throughput"),
        new("quantized weights (plimsoll fit MODEL --gpu GPU chooses)", null, "a little quality"),
        new("split over more GPUs (vLLM: --tensor-parallel-size)", null, "another GPU"),
    ];

    private static IEnumerable<Fix> Loading() =>
    [
        new("load to the CPU first and in the stored precision (map_location='cpu', torch_dtype='auto', low_cpu_mem_usage=True)", null, "a slower start"),
        new("quantized weights: 4 bits need a little over a quarter of 16 (plimsoll fit MODEL --gpu GPU chooses)", null, "a little quality"),
        new("keep part of the layers on the CPU or a second GPU (device_map='auto')", null, "much slower where the CPU computes"),
        new("a GPU that holds the model (plimsoll gpus MODEL lists them)", null, "money"),
    ];

    private static IEnumerable<Fix> Training(OutOfMemoryCase found)
    {
        if (SmallerBatch(found) is { } smaller)
            yield return smaller;
        yield return new("gradient checkpointing (gradient_checkpointing=True, use_reentrant=False)", null, "20 to 33 % more time per step");
        yield return new("16-bit mixed precision where the run is in FP32 (bf16=True), and SDPA or flash attention where it is eager", null, "none that is usually noticed");
        yield return new("a shorter longest sample (max_seq_length): the longest one of a batch decides, not the mean", null, "long samples are cut");
        yield return new("an 8-bit optimizer (optim='adamw_8bit'), which stores 2 bytes of states per parameter instead of 8", null, "none that is usually noticed");
        yield return new("LoRA, or QLoRA on 4-bit weights, instead of all parameters", null, "adapters learn less than all weights do");
        yield return new("more memory (plimsoll gpus MODEL --for training lists GPUs and prices)", null, "money");
    }

    private static IEnumerable<Fix> Optimizer() =>
    [
        new("an 8-bit or paged optimizer: AdamW in FP32 creates 8 bytes per trained parameter at the first step, in 8 bits 2", null, "none that is usually noticed"),
        new("share states between GPUs (ZeRO-1 and higher, FSDP), or keep them in host memory (ZeRO offload)", null, "communication; offload makes steps slower"),
    ];

    private static IEnumerable<Fix> Loss() =>
    [
        new("a loss in pieces or fused with the output layer (Liger, chunked cross-entropy): the logits of all positions are never there at once", null, "0 to 5 % more time"),
    ];

    private static IEnumerable<Fix> Generating(OutOfMemoryCase found)
    {
        yield return new("a shorter prompt or fewer new tokens (max_new_tokens): the KV cache grows with every token", null, "shorter answers");
        if (SmallerBatch(found) is { } smaller)
            yield return smaller;
        yield return new("a quantized KV cache: 8 bits halve it, 4 bits quarter it", null, "a little quality at long contexts");
        yield return new("quantized weights", null, "a little quality");
    }

    private static IEnumerable<Fix> Evaluating(OutOfMemoryCase found)
    {
        yield return new("evaluate under torch.no_grad() or inference_mode()", null, "none");
        yield return new("move predictions off the GPU while they gather (eval_accumulation_steps), or keep only their argmax (preprocess_logits_for_metrics)", null, "host memory, a little time");
        if (SmallerBatch(found) is { } smaller)
            yield return smaller with { Action = smaller.Action.Replace("batch", "evaluation batch", StringComparison.Ordinal) };
    }

    private static IEnumerable<Fix> General(OutOfMemoryCase found)
    {
        if (SmallerBatch(found) is { } smaller)
            yield return smaller;
        yield return new("less at once: a smaller batch, a shorter context, smaller pieces of the input", null, "less throughput");
        yield return new("lower precision: 16-bit or quantized weights", null, "a little quality");
    }

    /// <summary>The next batch, from one event: per sample at least (held + requested) / batch can be saved only of what grows with it, so this is a first try.</summary>
    private static Fix? SmallerBatch(OutOfMemoryCase found)
    {
        if (found.Batch is not (> 1 and var batch))
            return null;
        if (found.Event.Ledger.Allocated is not { } allocated || found.Event.Ledger.Requested is not { } requested || found.Sheet.Shortage is not { } shortage || shortage.Bytes <= 0)
            return new($"a smaller batch: {batch / 2} instead of {batch}, with 2 steps of accumulation", null, "somewhat less throughput");
        var need = allocated.Bytes + requested.Bytes;
        var next = (int)Math.Clamp(Math.Floor(batch * (need - shortage.Bytes - shortage.Rounding) / (double)need * 0.92), 1, batch - 1);
        var accumulation = (batch + next - 1) / next;
        return new(
            $"a smaller batch: {next} instead of {batch}, with {accumulation} steps of accumulation (if most of {new ByteSize(allocated.Bytes)} grows with the batch; smaller still if the model is most of it)",
            null, "somewhat less throughput");
    }
}
