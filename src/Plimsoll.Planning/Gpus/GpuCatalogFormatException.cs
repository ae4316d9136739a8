namespace Plimsoll.Planning.Gpus;

/// <summary>A GPU catalog file does not say what the format requires. The file is bad, not the caller.</summary>
public sealed class GpuCatalogFormatException(string path, string problem, Exception? inner = null) : Exception($"{path}: {problem}", inner)
{
    public string Path { get; } = path;
}
