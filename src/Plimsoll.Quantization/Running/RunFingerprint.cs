using System.Security.Cryptography;
using System.Text;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>Tells whether an unfinished run was of the same work: SHA-256 of what is written and of what is read.</summary>
internal sealed record RunFingerprint(string Recipe, string Source)
{
    /// <param name="recipe">Every choice that changes bytes and does not show in headers and layouts, the program's version among them.</param>
    /// <param name="sourceFiles">The files that hold the weights.</param>
    public static RunFingerprint Of(OutputPlan plan, string recipe, IEnumerable<string> sourceFiles)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, recipe);
        foreach (var file in plan.Files)
        {
            Append(hash, $"{file.Name} {file.Length}");
            hash.AppendData(file.Header.Span);
            foreach (var job in file.Jobs)
            {
                Append(hash, $"{job.Name} {job.TypeName} {job.Rows} {job.RowLength}");
                foreach (var output in job.Outputs)
                    Append(hash, $"{output.Name} {output.Format} {output.Bytes} {file.Places[output.Name]}");
            }
        }
        var written = Convert.ToHexStringLower(hash.GetHashAndReset());
        foreach (var path in sourceFiles)
        {
            var file = new FileInfo(path);
            Append(hash, $"{file.Name} {file.Length} {file.LastWriteTimeUtc.Ticks}");
        }
        return new(written, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static void Append(IncrementalHash hash, string text)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        hash.AppendData([0]);
    }
}
