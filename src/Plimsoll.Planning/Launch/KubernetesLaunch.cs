using System.Text.RegularExpressions;

namespace Plimsoll.Planning.Launch;

/// <summary>A Deployment with the GPUs as a resource limit, and the Service in front of it.</summary>
internal static partial class KubernetesLaunch
{
    private const string ModelFolder = "/models";

    /// <summary>A label is at most 63 characters; Kubernetes appends 16 to the name of a pod. Source: RFC 1123, ReplicaSet names.</summary>
    private const int LongestName = 46;

    private static readonly LaunchTool Tool = LaunchTools.Kubernetes;

    public static LaunchConfiguration Create(LaunchRequest launch)
    {
        var cluster = LaunchCluster.Of(launch.Request.Parallel.Devices, launch.GpusPerNode);
        if (cluster.Nodes > 1)
            throw new LaunchRefusedException(
                $"one pod runs on one machine, and the plan needs {cluster}",
                "--gpus-per-node N if one machine has them all; else start the engine's own script (--emit vllm) under KubeRay or LeaderWorkerSet");
        var container = Container(launch);
        var resource = Tool.Value("resource", launch.Device?.Gpu.Vendor ?? "") ?? throw new LaunchRefusedException(
            $"no Kubernetes device plugin is known here for {launch.Device!.Gpu.Name}", "NVIDIA and AMD GPUs are");
        var name = Name(launch.Request.Model.Id);
        var yaml = new YamlText();
        var notes = LaunchHeader.Lines(launch, cluster, container.Tool).Concat(container.Remarks).ToList();
        foreach (var note in notes)
            yaml.Comment(note);
        Deployment(yaml, name, container, Tool.Checked(resource), cluster.Ranks);
        Service(yaml.NextDocument(), name, container.Port);
        return new("kubernetes", $"{name}.yaml", $"kubectl apply -f {name}.yaml", yaml.ToString()) { Notes = notes };
    }

    private static Contents Container(LaunchRequest launch) => launch.Request.Engine.Id switch
    {
        "vllm" => Vllm(launch),
        "llama.cpp" => LlamaCpp(launch),
        var other => throw new LaunchRefusedException($"{other} is no server that a pod could run", "--engine vllm or llama.cpp"),
    };

    private static Contents Vllm(LaunchRequest launch)
    {
        if (launch.Device?.Gpu.Vendor == "AMD" && launch.Image is null)
            throw new LaunchRefusedException("no image of vLLM for AMD GPUs is known here", "add --image NAME");
        var (command, remark) = VllmLaunch.Command(launch with { ModelFolder = ModelFolder });
        // Source: vLLM docs/serving/parallelism_scaling.md.
        return new(LaunchTools.Vllm, launch.Image ?? "vllm/vllm-openai", command.With("--port", 8000), 8000, Downloads(launch, remark)) { Remarks = [.. Remarks(launch, remark)] };
    }

    private static Contents LlamaCpp(LaunchRequest launch)
    {
        var (command, remark) = LlamaCppLaunch.Command(launch with { ModelFolder = ModelFolder });
        // Source: llama.cpp docs/docker.md; the registry in front of the name is left to the cluster.
        var image = launch.Image ?? (launch.Device?.Gpu.Vendor == "AMD" ? "ggml-org/llama.cpp:server-rocm" : "ggml-org/llama.cpp:server-cuda");
        return new(LaunchTools.LlamaCpp, image, command.With("--host", "0.0.0.0").With("--port", 8080), 8080, Downloads(launch, remark))
        {
            // The image keeps the program where PATH does not look.
            Program = "/app/llama-server",
            Remarks = [.. Remarks(launch, remark), .. launch.Image is null ? ["Put the registry of llama.cpp's images in front of the image name, or give yours with --image."] : Array.Empty<string>()],
        };
    }

    /// <summary>The engine fetches the weights itself; else they lie in a volume.</summary>
    private static bool Downloads(LaunchRequest launch, string? remark) => launch.Model.IsOnHub && remark is null;

    private static IEnumerable<string> Remarks(LaunchRequest launch, string? remark)
    {
        if (remark is not null)
            yield return remark;
        yield return Downloads(launch, remark)
            ? "The model is downloaded at every start of the pod; a gated one needs the secret hf-token with the key token."
            : $"The volume claim 'models' is mounted at {ModelFolder} and must hold the weights.";
    }

    private static void Deployment(YamlText yaml, string name, Contents container, string resource, int gpus) => yaml
        .Value("apiVersion", "apps/v1")
        .Value("kind", "Deployment")
        .Map("metadata", metadata => metadata.Value("name", name))
        .Map("spec", spec => spec
            .Value("replicas", 1)
            // Two pods would want the GPUs twice while one replaces the other.
            .Map("strategy", strategy => strategy.Value("type", "Recreate"))
            .Map("selector", selector => selector.Map("matchLabels", labels => labels.Value("app", name)))
            .Map("template", template => template
                .Map("metadata", metadata => metadata.Map("labels", labels => labels.Value("app", name)))
                .Map("spec", pod => Pod(pod, container, resource, gpus))));

    private static void Pod(YamlText pod, Contents container, string resource, int gpus) => pod
        .Items("containers", item => item
            .Value("name", "server")
            .Value("image", container.Image)
            .List("command", container.Words)
            .Environment(container.FromHub)
            .Items("ports", port => port.Value("containerPort", container.Port))
            .Map("resources", resources => resources.Map("limits", limits => limits.Value(resource, gpus)))
            .Map("readinessProbe", probe => probe
                .Map("httpGet", get => get.Value("path", "/health").Value("port", container.Port))
                .Value("periodSeconds", 10))
            .Items("volumeMounts",
                mount => mount.Value("name", "shm").Value("mountPath", "/dev/shm"),
                mount => mount.Value("name", "models").Value("mountPath", container.FromHub ? "/root/.cache" : ModelFolder)))
        .Items("volumes",
            // NCCL moves data between the processes of a pod through shared memory; the default is 64 MiB.
            volume => volume.Value("name", "shm").Map("emptyDir", directory => directory.Value("medium", "Memory")),
            volume => Models(volume.Value("name", "models"), container.FromHub));

    private static YamlText Environment(this YamlText yaml, bool fromHub) => !fromHub ? yaml : yaml.Items("env", token => token
        .Value("name", "HF_TOKEN")
        .Map("valueFrom", from => from.Map("secretKeyRef", secret => secret.Value("name", "hf-token").Value("key", "token").Value("optional", true))));

    private static void Models(YamlText volume, bool fromHub)
    {
        if (fromHub)
            volume.EmptyMap("emptyDir");
        else
            volume.Map("persistentVolumeClaim", claim => claim.Value("claimName", "models"));
    }

    private static void Service(YamlText yaml, string name, int port) => yaml
        .Value("apiVersion", "v1")
        .Value("kind", "Service")
        .Map("metadata", metadata => metadata.Value("name", name))
        .Map("spec", spec => spec
            .Map("selector", selector => selector.Value("app", name))
            .Items("ports", item => item.Value("port", port).Value("targetPort", port)));

    /// <summary>The model's name as a DNS label.</summary>
    private static string Name(string id)
    {
        var name = NotInLabel.Replace(id[(id.LastIndexOf('/') + 1)..].ToLowerInvariant(), "-").Trim('-');
        if (name.Length == 0 || !char.IsAsciiLetter(name[0]))
            name = $"model-{name}";
        return name[..Math.Min(name.Length, LongestName)].TrimEnd('-');
    }

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex NotInLabel { get; }

    /// <summary>What runs in the pod.</summary>
    private sealed record Contents(LaunchTool Tool, string Image, CommandLine Command, int Port, bool FromHub)
    {
        public string? Program { get; init; }

        public IReadOnlyList<string> Remarks { get; init; } = [];

        public IEnumerable<string> Words => Program is null ? Command.Words : Command.Words.Skip(1).Prepend(Program);
    }
}
