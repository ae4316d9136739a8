using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Plimsoll.Checkpoints;

namespace Plimsoll.Quantization;

/// <summary>Where a written file comes from: enough to make it again, nothing that differs between two runs.</summary>
public static class Provenance
{
    /// <summary>The version of the program, as the files state it.</summary>
    public static string Version { get; } = typeof(Provenance).Assembly.GetName().Version!.ToString(3);

    /// <summary>A hash of what the headers of a checkpoint say: every tensor by name, format, shape and place, and the sizes of the files.</summary>
    /// <remarks>It tells checkpoints apart without reading the weights; two that differ only in their weights have the same.</remarks>
    /// <returns>64 hexadecimal digits (SHA-256).</returns>
    public static string Fingerprint(Checkpoint checkpoint)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in checkpoint.Files.Order(StringComparer.Ordinal))
            Append(hash, $"{Path.GetFileName(file)} {(File.Exists(file) ? new FileInfo(file).Length : 0)}");
        foreach (var tensor in checkpoint.Tensors)
            Append(hash, $"{tensor.Name} {tensor.Format} [{string.Join(',', tensor.Dimensions)}] {Path.GetFileName(tensor.File)} {tensor.Offset} {tensor.Bytes}");
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, FormattableString line) => hash.AppendData(Encoding.UTF8.GetBytes(line.ToString(CultureInfo.InvariantCulture) + "\n"));
}
