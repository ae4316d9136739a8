using System.Globalization;
using System.Text;

namespace Plimsoll.Quantization.Running;

/// <summary>A tensor that an unfinished run had written.</summary>
/// <param name="File">Index of its file in the plan.</param>
/// <param name="Job">Index of its job in the file.</param>
/// <param name="Checksum">CRC-32C of the bytes of its outputs, one after the other.</param>
/// <param name="NonFinite">Weights that were no finite numbers.</param>
internal readonly record struct FinishedJob(int File, int Job, uint Checksum, SquaredError Error, long NonFinite);

/// <summary>A text file beside an unfinished output: of which work it is, then a line for every tensor whose bytes are written.</summary>
/// <remarks>
/// A line is appended after its bytes have been handed to the system. Whatever a power failure loses of either is found out when the run goes on:
/// a line that is cut counts for nothing, bytes that do not give their checksum are written anew.
/// </remarks>
internal sealed class RunJournal : IDisposable
{
    private const string Title = "plimsoll run journal 1";

    private readonly FileStream stream;

    private RunJournal(FileStream stream) => this.stream = stream;

    /// <summary>Begins a journal, or one that goes on after <paramref name="finished"/>. It appears under its name with these lines at once.</summary>
    public static RunJournal Create(string path, RunFingerprint fingerprint, IEnumerable<FinishedJob> finished)
    {
        var fresh = path + ".new";
        var journal = new RunJournal(new(fresh, FileMode.Create, FileAccess.Write, FileShare.Read | FileShare.Delete));
        journal.Write($"{Title}\nrecipe {fingerprint.Recipe}\nsource {fingerprint.Source}\n");
        foreach (var job in finished)
            journal.Add(job);
        File.Move(fresh, path, overwrite: true);
        return journal;
    }

    /// <summary>What a journal says; null when it is none, or of another version.</summary>
    public static (RunFingerprint Fingerprint, IReadOnlyList<FinishedJob> Finished)? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        var text = File.ReadAllText(path);
        // A last line without its end was cut by whatever ended the run.
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n');
        if (lines is not [Title, var recipe, var source, ..] || !recipe.StartsWith("recipe ", StringComparison.Ordinal) || !source.StartsWith("source ", StringComparison.Ordinal))
            return null;
        return (new(recipe[7..], source[7..]), [.. lines.Skip(3).Select(Parse).OfType<FinishedJob>()]);
    }

    public void Add(FinishedJob job) => Write(string.Create(CultureInfo.InvariantCulture,
        $"done {job.File} {job.Job} {job.Checksum:x8} {BitConverter.DoubleToUInt64Bits(job.Error.Error):x16} {BitConverter.DoubleToUInt64Bits(job.Error.Sum):x16} {job.NonFinite}\n"));

    public void Dispose() => stream.Dispose();

    private void Write(string text)
    {
        stream.Write(Encoding.ASCII.GetBytes(text));
        stream.Flush();
    }

    private static FinishedJob? Parse(string line) =>
        line.Split(' ') is ["done", var file, var job, var checksum, var error, var sum, var nonFinite]
        && int.TryParse(file, NumberStyles.None, CultureInfo.InvariantCulture, out var fileIndex)
        && int.TryParse(job, NumberStyles.None, CultureInfo.InvariantCulture, out var jobIndex)
        && uint.TryParse(checksum, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc)
        && ulong.TryParse(error, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var errorBits)
        && ulong.TryParse(sum, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var sumBits)
        && long.TryParse(nonFinite, NumberStyles.None, CultureInfo.InvariantCulture, out var others)
            ? new(fileIndex, jobIndex, crc, new(BitConverter.UInt64BitsToDouble(errorBits), BitConverter.UInt64BitsToDouble(sumBits)), others)
            : null;
}
