using Microsoft.Win32.SafeHandles;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>Writes the outputs of one job while the next is encoded.</summary>
/// <param name="written">Told of each job whose bytes are written, from the thread that wrote them.</param>
internal sealed class OutputWriter(OutputPlan plan, PartialOutput folder, OutputDisk disk, Action<FinishedJob> written) : IDisposable
{
    private const int ChunkBytes = 1 << 20;

    private (OutputFile File, SafeFileHandle Handle)? open;
    private Task pending = Task.CompletedTask;

    /// <summary>Bytes of the buffers that are being written; 0 when nothing is.</summary>
    public long PendingBytes { get; private set; }

    /// <summary>Begins to write a job, when the one before is written.</summary>
    /// <exception cref="IOException">The job before could not be written.</exception>
    public void Begin((int File, int Job) place, OutputBuffers outputs, EncodedJob encoded)
    {
        Wait();
        var file = plan.Files[place.File];
        var job = file.Jobs[place.Job];
        PendingBytes = OutputArena.BytesFor(job);
        pending = Task.Factory.StartNew(() =>
        {
            var checksum = Write(file, job, outputs);
            written(new(place.File, place.Job, checksum, encoded.Error, encoded.NonFinite));
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Returns when nothing is being written.</summary>
    /// <exception cref="IOException">The last job could not be written.</exception>
    public void Wait()
    {
        var last = pending;
        pending = Task.CompletedTask;
        PendingBytes = 0;
        last.GetAwaiter().GetResult();
    }

    /// <summary>Sees to it that every byte has reached the disk, and that files without tensors are there.</summary>
    public void Finish()
    {
        Wait();
        Close();
        foreach (var file in plan.Files.Where(file => !folder.Has(file)))
            folder.OpenForWriting(file).Dispose();
    }

    public void Dispose()
    {
        ((IAsyncResult)pending).AsyncWaitHandle.WaitOne();
        open?.Handle.Dispose();
        open = null;
    }

    /// <summary>The checksum of a job's outputs as a file holds them.</summary>
    public static uint Checksum(SafeFileHandle handle, OutputFile file, WeightJob job)
    {
        var buffer = new byte[ChunkBytes];
        var state = Crc32C.Start;
        foreach (var output in job.Outputs)
        {
            for (var offset = 0L; offset < output.Bytes;)
            {
                var read = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, output.Bytes - offset)), file.Places[output.Name] + offset);
                if (read == 0)
                    return 0;
                state = Crc32C.Append(state, buffer.AsSpan(0, read));
                offset += read;
            }
        }
        return Crc32C.Finish(state);
    }

    /// <summary>Fills the buffers of a job with what a file holds.</summary>
    /// <exception cref="IOException">The file cannot be read, or is too short.</exception>
    public static void Read(SafeFileHandle handle, OutputFile file, WeightJob job, OutputBuffers outputs)
    {
        for (var index = 0; index < job.Outputs.Length; index++)
        {
            var output = job.Outputs[index];
            for (var offset = 0L; offset < output.Bytes;)
            {
                var read = RandomAccess.Read(handle, outputs.Range(index, offset, (int)Math.Min(ChunkBytes, output.Bytes - offset)), file.Places[output.Name] + offset);
                offset += read > 0 ? read : throw new IOException($"{file.Name} has been cut while it was read");
            }
        }
    }

    private uint Write(OutputFile file, WeightJob job, OutputBuffers outputs)
    {
        var handle = HandleOf(file);
        var state = Crc32C.Start;
        for (var index = 0; index < job.Outputs.Length; index++)
        {
            var output = job.Outputs[index];
            for (var offset = 0L; offset < output.Bytes; offset += ChunkBytes)
            {
                var bytes = outputs.Range(index, offset, (int)Math.Min(ChunkBytes, output.Bytes - offset));
                disk.Write(handle, bytes, file.Places[output.Name] + offset);
                state = Crc32C.Append(state, bytes);
            }
        }
        return Crc32C.Finish(state);
    }

    private SafeFileHandle HandleOf(OutputFile file)
    {
        if (open?.File != file)
        {
            Close();
            open = (file, folder.OpenForWriting(file));
        }
        return open.Value.Handle;
    }

    private void Close()
    {
        if (open is not { Handle: var handle })
            return;
        RandomAccess.FlushToDisk(handle);
        handle.Dispose();
        open = null;
    }
}
