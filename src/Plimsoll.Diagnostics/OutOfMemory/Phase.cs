namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>What a program was doing when memory ran out.</summary>
public enum Phase
{
    Unknown,
    Load,
    Profiling,
    GraphCapture,
    Forward,
    Loss,
    Backward,
    OptimizerStep,
    Generation,
    Evaluation,
}

/// <summary>Reads the phase from the traceback above a message.</summary>
public static class PhaseReader
{
    /// <summary>Words of frames, in the order of preference: an optimizer's or autograd's frame says more than the layers inside it.</summary>
    private static readonly (Phase Phase, string[] Words)[] Frames =
    [
        (Phase.OptimizerStep, ["optimizer.step", "_init_group", "torch/optim/", "bitsandbytes/optim", "_take_model_step", "ds_opt_adam", "fused_adam", "optimizer_step("]),
        (Phase.Backward, [".backward(", "_engine_run_backward", "autograd/__init__.py", "accelerator.backward", "in backward", "unscale_"]),
        (Phase.GraphCapture, ["capture_model", "cuda_graph", "cudagraph", "capture_begin", "torch.cuda.graph("]),
        (Phase.Profiling, ["profile_run", "determine_num_available_blocks", "determine_available_memory", "_dummy_run", "_dummy_sampler_run", "profile_cudagraph"]),
        (Phase.Evaluation, ["evaluation_loop", "prediction_step", "prediction_loop", ".evaluate(", "in evaluate", "nested_concat", "validation_step", "in validate"]),
        (Phase.Generation, ["generation/utils.py", ".generate(", "in generate", "_sample(", "greedy_search", "beam_search"]),
        (Phase.Load, ["from_pretrained", "load_state_dict", "load_model", "load_weights", "_load_pretrained_model", "_load_state_dict_into", "load_checkpoint", "torch.load(", "init_device", ".to(device", ".cuda(", "_move_model_to_device", "in _apply", "create_weights", "modeling_utils.py", "_configure_distributed_model"]),
        (Phase.Loss, ["cross_entropy", "log_softmax", "loss_fct(", "compute_loss(", "logits.float()", "ForCausalLMLoss", "loss_utils.py"]),
        (Phase.Forward, ["in forward", "forward(", "modeling_", "_call_impl", "nn/modules/", "scaled_dot_product_attention"]),
    ];

    /// <summary>The phase of an event, and the line that tells; <see cref="Phase.Unknown"/> without a traceback.</summary>
    public static (Phase Phase, string? Line) Read(LogText log, OutOfMemoryEvent found)
    {
        // The line of the message itself can carry the call, as in one-line reports.
        var traceback = log.Upwards(found.Line).Take(1).Concat(
            log.Upwards(found.Line - 1).TakeWhile(line => !line.StartsWith("Traceback (most recent call last)", StringComparison.Ordinal))).ToList();
        // A layer that fails while it is recomputed for the backward pass has frames of both.
        foreach (var (phase, words) in Frames)
        {
            foreach (var line in traceback)
            {
                if (words.Any(word => line.Contains(word, StringComparison.Ordinal)))
                    return (phase, line.Trim());
            }
        }
        return (Phase.Unknown, null);
    }

    /// <summary>Words for a sentence; empty for an unknown phase.</summary>
    public static string Describe(Phase phase) => phase switch
    {
        Phase.Load => "while loading the model",
        Phase.Profiling => "while the engine measured its own need at start",
        Phase.GraphCapture => "while capturing graphs",
        Phase.Forward => "in the forward pass",
        Phase.Loss => "in the loss, where the logits of all positions are",
        Phase.Backward => "in the backward pass",
        Phase.OptimizerStep => "in the optimizer step, which creates its states at the first step",
        Phase.Generation => "while generating",
        Phase.Evaluation => "in evaluation",
        _ => "",
    };
}
