using System.Collections.Immutable;

namespace Plimsoll.Planning.Launch;

/// <summary>Writes what starts a planned run: one configuration per target.</summary>
public static class Launcher
{
    private static readonly ImmutableArray<Target> Targets =
    [
        new("vllm", "vllm", VllmLaunch.Create),
        new("llama.cpp", "llama.cpp", LlamaCppLaunch.Create),
        new("transformers", "transformers", TransformersLaunch.Create),
        new("kubernetes", null, KubernetesLaunch.Create),
    ];

    /// <summary>Every target, inference first.</summary>
    public static ImmutableArray<string> Names { get; } = [.. Targets.Select(target => target.Name)];

    /// <summary>The engine that a target starts; null where it starts the one that was planned.</summary>
    /// <exception cref="KeyNotFoundException">There is no such target.</exception>
    public static string? EngineOf(string target) => Find(target).Engine;

    /// <exception cref="LaunchRefusedException">The target cannot run this plan.</exception>
    /// <exception cref="KeyNotFoundException">There is no such target.</exception>
    public static LaunchConfiguration Create(string target, LaunchRequest launch)
    {
        var found = Find(target);
        var planned = launch.Request.Engine.Id;
        if (found.Engine is { } engine && engine != planned)
            throw new LaunchRefusedException($"--emit {target} starts {engine}, and the plan is for {planned}", $"add --engine {engine}, or --emit {(Names.Contains(planned) ? planned : "what the plan is for")}");
        return found.Create(launch);
    }

    private static Target Find(string name) => Targets.FirstOrDefault(target => target.Name == name) ?? throw new KeyNotFoundException($"no launch target '{name}'");

    private sealed record Target(string Name, string? Engine, Func<LaunchRequest, LaunchConfiguration> Create);
}
