using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>What a job's weights became.</summary>
/// <param name="NonFinite">Weights that were no finite numbers and count as 0.</param>
internal readonly record struct EncodedJob(SquaredError Error, long NonFinite);

/// <summary>Encodes one job at a time with all threads, each of which takes the next piece of rows when it has done one.</summary>
/// <param name="encoded">Told the number of weights of each finished piece, from any thread.</param>
internal sealed class JobEncoder(PieceBuffers buffers, int threads, bool allowNonFinite, Action<int> encoded, CancellationToken cancellation)
{
    /// <exception cref="NonFiniteWeightException">A weight is NaN or infinite; the first in the order of the rows.</exception>
    /// <exception cref="OperationCanceledException">The run is to end.</exception>
    public EncodedJob Encode(WeightJob job, OutputBuffers outputs)
    {
        var pieces = new RowPieces(job);
        var nonFinite = 0L;
        if (job.NeedsObservation)
        {
            ForEach(pieces, (index, thread) =>
            {
                var (firstRow, floats) = pieces[index];
                var values = buffers.Values(thread, floats);
                Read(job, firstRow, values, allowNonFinite);
                job.Observe(firstRow, values);
            });
        }
        // Sums are kept by piece, so that their total does not depend on who came first.
        var errors = new SquaredError[pieces.Count];
        ForEach(pieces, (index, thread) =>
        {
            var (firstRow, floats) = pieces[index];
            var piece = EncodePiece(job, outputs, firstRow, buffers.Values(thread, floats), buffers.Decoded(thread, floats), allowNonFinite);
            errors[index] = piece.Error;
            Interlocked.Add(ref nonFinite, piece.NonFinite);
            encoded(floats);
        });
        job.Complete(outputs);
        return new(errors.Aggregate(default(SquaredError), (sum, error) => sum + error), nonFinite);
    }

    /// <summary>Reads, encodes and decodes rows once.</summary>
    /// <param name="values">Receives the rows; a whole number of them.</param>
    /// <param name="decoded">Receives what they are decoded to; as long.</param>
    public static EncodedJob EncodePiece(WeightJob job, OutputBuffers outputs, long firstRow, Span<float> values, Span<float> decoded, bool allowNonFinite)
    {
        var nonFinite = Read(job, firstRow, values, allowNonFinite);
        job.EncodeRows(firstRow, values, outputs);
        job.DecodeRows(firstRow, decoded, outputs);
        return new(SquaredError.Of(values, decoded), nonFinite);
    }

    private static int Read(WeightJob job, long firstRow, Span<float> values, bool allowNonFinite)
    {
        job.ReadRows(firstRow, values);
        if (FiniteNumbers.FindOther(values) is not (>= 0 and var at))
            return 0;
        return allowNonFinite
            ? FiniteNumbers.ReplaceOthers(values)
            : throw new NonFiniteWeightException(job.Name, firstRow + at / job.RowLength, at % job.RowLength, values[at]);
    }

    /// <summary>Calls the body for every piece; of several failures the one of the first piece is thrown, as a single thread would.</summary>
    private void ForEach(RowPieces pieces, Action<int, int> body)
    {
        var next = -1;
        var failures = new Exception?[pieces.Count];
        var failed = false;
        Parallel.For(0, Math.Min(threads, pieces.Count), new() { MaxDegreeOfParallelism = threads }, thread =>
        {
            while (!Volatile.Read(ref failed) && Interlocked.Increment(ref next) is var index && index < pieces.Count)
            {
                try
                {
                    cancellation.ThrowIfCancellationRequested();
                    body(index, thread);
                }
                catch (Exception failure)
                {
                    failures[index] = failure;
                    Volatile.Write(ref failed, true);
                }
            }
        });
        if (failures.FirstOrDefault(failure => failure is not null) is { } first)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }
}
