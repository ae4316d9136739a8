using System.Security.Cryptography;

namespace Plimsoll.Models.Demo;

/// <summary>The small model that comes with the product: harbour stories, learnt and written by our own programs (<c>demo/README.md</c>).</summary>
/// <remarks>It is a Hugging Face folder like any other: the files are unpacked once, so that every command takes it as it takes a user's checkpoint.</remarks>
public static class DemoModel
{
    /// <summary>What users type for it.</summary>
    public const string Name = "demo";

    /// <summary>Stories that the model has not learnt, to measure it on.</summary>
    public const string EvaluationText = "evaluation.txt";

    /// <summary>Other stories that it has not learnt, to calibrate with.</summary>
    public const string CalibrationText = "calibration.txt";

    private static readonly string[] Files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", EvaluationText, CalibrationText];

    /// <summary>The folder of the unpacked model below <paramref name="cache"/>; unpacks it if it is not there.</summary>
    /// <param name="cache">A folder that may be deleted at any time.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static string Unpack(string cache)
    {
        var folder = Path.Combine(cache, $"{Name}-{Fingerprint()}");
        if (Directory.Exists(folder))
            return folder;
        Directory.CreateDirectory(cache);
        var unfinished = Path.Combine(cache, $"{Name}-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(unfinished);
        try
        {
            foreach (var name in Files)
            {
                using var source = Open(name);
                using var target = File.Create(Path.Combine(unfinished, name));
                source.CopyTo(target);
            }
            Directory.Move(unfinished, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another process was faster; its files are the same.
            Directory.Delete(unfinished, recursive: true);
        }
        return folder;
    }

    /// <summary>Another version of the product unpacks beside this one, never over it.</summary>
    private static string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in Files)
        {
            using var source = Open(name);
            // The ends of the files tell versions apart; reading all of them would cost more than unpacking once.
            var end = new byte[Math.Min(4096, source.Length)];
            source.Seek(-end.Length, SeekOrigin.End);
            source.ReadExactly(end);
            hash.AppendData(BitConverter.GetBytes(source.Length));
            hash.AppendData(end);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    private static Stream Open(string name) => typeof(DemoModel).Assembly.GetManifestResourceStream($"Plimsoll.Models.Demo.{name}")
        ?? throw new InvalidOperationException($"the product was built without demo/{name}");
}
