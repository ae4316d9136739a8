namespace Plimsoll.Planning.Launch;

/// <summary>The file, folder or repository that holds the planned weights, and what the user must know about it.</summary>
/// <param name="Remark">A comment for the file; null when the reference is there already.</param>
internal sealed record LaunchWeights(string Reference, string? Remark)
{
    private static readonly string[] SixteenBit = ["bf16", "fp16", "fp32"];

    /// <summary>The model as it is stored, for engines that convert while loading.</summary>
    public static LaunchWeights Unquantized(LaunchRequest launch)
    {
        if (launch.Model.IsGguf)
            throw new LaunchRefusedException($"{launch.Model.Reference} is a GGUF file; this target reads Hugging Face checkpoints", "name the original repository or folder, or use --emit llama.cpp");
        var stored = launch.Model.StoredPrecision;
        if (stored is not null && !SixteenBit.Contains(stored) && stored != launch.Request.Weights.Precision)
            throw new LaunchRefusedException($"{launch.Model.Reference} is stored as {stored}, and no engine turns that into {launch.Request.Weights.Precision} while loading", "name the unquantized repository, or leave --precision out");
        return new(Found(launch), null);
    }

    /// <summary>A checkpoint that is quantized already: the model itself if it is stored so, else a folder that the user has to make or find.</summary>
    public static LaunchWeights Quantized(LaunchRequest launch)
    {
        var precision = launch.Request.Weights.Precision;
        if (launch.Model.StoredPrecision == precision && !launch.Model.IsGguf)
            return new(Found(launch), null);
        var original = Found(launch);
        var folder = Place(launch, $"{ShortName(launch)}-{precision.Replace(':', '-')}");
        return new(folder, $"Needs a checkpoint of {original} quantized as {precision}; put its folder or repository in place of {folder}.");
    }

    /// <summary>A GGUF file: the model itself if it is one, else the name that converters give it.</summary>
    public static LaunchWeights Gguf(LaunchRequest launch)
    {
        if (launch.Model.IsGguf)
            return new(Found(launch), null);
        var type = GgufType(launch);
        var original = Found(launch);
        var file = Place(launch, $"{ShortName(launch)}-{type}.gguf");
        return new(file, $"Needs {file}: {original} as a GGUF file of type {type}.");
    }

    /// <summary>Refuses the plain formats of the rules of thumb and names the real ones of about the same size.</summary>
    public static LaunchRefusedException NotLaunchable(LaunchRequest launch, string engine, string alternatives)
    {
        var weights = launch.Request.Weights;
        var reason = weights.Notes.FirstOrDefault(note => note.Contains("no engine loads it", StringComparison.Ordinal));
        return reason is not null
            ? new($"{weights.Precision} cannot be launched. {reason}", "plan one of these with --precision, then --emit")
            : new($"{engine} does not load {weights.Precision} weights", $"--precision {alternatives}");
    }

    private static string GgufType(LaunchRequest launch) => launch.Request.Weights.Precision switch
    {
        "bf16" => "BF16",
        "fp16" => "F16",
        "fp32" => "F32",
        var name when name.StartsWith("gguf:", StringComparison.Ordinal) => name["gguf:".Length..].Split('+')[0].ToUpperInvariant(),
        _ => throw NotLaunchable(launch, "llama.cpp", "gguf:q4_k_m, gguf:q8_0 or bf16"),
    };

    private static string Found(LaunchRequest launch)
    {
        if (launch.Model.Reference is not { } reference)
            throw new LaunchRefusedException($"{launch.Request.Model.Id} is a size, not a model: there is nothing to load", "name a model of the catalog, a folder, a file, or org/name on the hub");
        return launch.Model.IsOnHub || launch.ModelFolder is null ? reference : Place(launch, ShortName(launch));
    }

    /// <summary>A local file or folder where the engine will look for it.</summary>
    private static string Place(LaunchRequest launch, string name) => $"{launch.ModelFolder ?? "."}/{name}";

    private static string ShortName(LaunchRequest launch)
    {
        var name = Path.TrimEndingDirectorySeparator(launch.Model.Reference ?? launch.Request.Model.Id);
        return name[(name.LastIndexOf('/') + 1)..];
    }
}
