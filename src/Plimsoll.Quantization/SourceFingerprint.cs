using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Plimsoll.Checkpoints;

namespace Plimsoll.Quantization;

/// <summary>A hash of the name, type, shape and size of every tensor: it tells sources apart without reading their weights.</summary>
internal static class SourceFingerprint
{
    /// <returns>64 hexadecimal digits (SHA-256).</returns>
    public static string Of(IEnumerable<TensorHeader> headers)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var header in headers)
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{header.Name} {header.Format} [{string.Join(',', header.Dimensions)}] {header.Bytes}\n")));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
