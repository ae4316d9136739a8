using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Plimsoll.Checkpoints;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>Has the system read the source of the next job into its page cache while the job before keeps the processors busy.</summary>
/// <remarks>A hint by <c>posix_fadvise</c>, on Linux only: it takes no memory of the process, and where it fails nothing is lost but time.</remarks>
internal sealed class SourceReadAhead : IDisposable
{
    /// <summary>POSIX_FADV_WILLNEED of Linux.</summary>
    private const int WillNeed = 3;

    private readonly Dictionary<string, SafeFileHandle> files = new(StringComparer.Ordinal);
    private Task pending = Task.CompletedTask;

    public void Fetch(WeightJob job)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var tensors = job.Sources.SelectMany(source => source.Storage.Parts).Select(part => part.Header).ToList();
        // Queueing the reads of a large tensor takes as long as the disk wants.
        pending = pending.ContinueWith(_ => tensors.ForEach(Advise), CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
    }

    public void Dispose()
    {
        ((IAsyncResult)pending).AsyncWaitHandle.WaitOne();
        foreach (var file in files.Values)
            file.Dispose();
    }

    private void Advise(TensorHeader tensor)
    {
        if (!files.TryGetValue(tensor.File, out var file))
            files[tensor.File] = file = File.OpenHandle(tensor.File);
        PosixFadvise(file.DangerousGetHandle().ToInt32(), tensor.Offset, tensor.Bytes, WillNeed);
    }

    [DllImport("libc", EntryPoint = "posix_fadvise")]
    private static extern int PosixFadvise(int file, long offset, long length, int advice);
}
