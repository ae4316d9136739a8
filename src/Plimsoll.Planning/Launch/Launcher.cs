using System.Collections.Immutable;

namespace Plimsoll.Planning.Launch;

/// <summary>Writes what starts a planned run: one configuration per target.</summary>
public static class Launcher
{
    private static readonly ImmutableArray<Target> Targets =
    [
        new("vllm", "vllm") { Serve = VllmLaunch.Create },
        new("llama.cpp", "llama.cpp") { Serve = LlamaCppLaunch.Create },
        new("transformers", "transformers") { Serve = TransformersLaunch.Create },
        new("kubernetes", null) { Serve = KubernetesLaunch.Create },
        new("accelerate", null) { Train = AccelerateLaunch.Create },
        new("deepspeed", null) { Train = DeepSpeedLaunch.Create },
        new("axolotl", null) { Train = AxolotlLaunch.Create },
    ];

    /// <summary>Every target, inference first.</summary>
    public static ImmutableArray<string> Names { get; } = [.. Targets.Select(target => target.Name)];

    /// <summary>The targets that start inference.</summary>
    public static ImmutableArray<string> InferenceNames { get; } = [.. Targets.Where(target => target.Serve is not null).Select(target => target.Name)];

    /// <summary>The targets that start training.</summary>
    public static ImmutableArray<string> TrainingNames { get; } = [.. Targets.Where(target => target.Train is not null).Select(target => target.Name)];

    /// <summary>The inference engine that a target starts; null where it starts the one that was planned, or trains.</summary>
    /// <exception cref="KeyNotFoundException">There is no such target.</exception>
    public static string? EngineOf(string target) => Find(target).Engine;

    /// <exception cref="LaunchRefusedException">The target cannot run this plan.</exception>
    /// <exception cref="KeyNotFoundException">There is no such target.</exception>
    public static LaunchConfiguration Create(string target, LaunchRequest launch)
    {
        var found = Find(target);
        if (found.Serve is not { } serve)
            throw new LaunchRefusedException($"--emit {target} starts training, and the plan is for inference", $"add --for training, lora or qlora; for inference: {string.Join(", ", InferenceNames)}");
        var planned = launch.Request.Engine.Id;
        if (found.Engine is { } engine && engine != planned)
            throw new LaunchRefusedException($"--emit {target} starts {engine}, and the plan is for {planned}", $"add --engine {engine}{(InferenceNames.Contains(planned) ? $", or --emit {planned}" : "")}");
        return serve(launch);
    }

    /// <inheritdoc cref="Create(string, LaunchRequest)"/>
    public static LaunchConfiguration Create(string target, TrainingLaunch launch) => Find(target).Train is { } train
        ? train(launch)
        : throw new LaunchRefusedException($"--emit {target} starts inference, and the plan is for training", $"for training: {string.Join(", ", TrainingNames)}");

    private static Target Find(string name) => Targets.FirstOrDefault(target => target.Name == name) ?? throw new KeyNotFoundException($"no launch target '{name}'");

    private sealed record Target(string Name, string? Engine)
    {
        public Func<LaunchRequest, LaunchConfiguration>? Serve { get; init; }

        public Func<TrainingLaunch, LaunchConfiguration>? Train { get; init; }
    }
}
