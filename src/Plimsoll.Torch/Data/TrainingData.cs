using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Torch.Data;

/// <summary>The rows of a run.</summary>
/// <param name="Validation">Rows that are never learnt from; may be empty.</param>
internal sealed record TrainingData(RowSet Training, RowSet Validation)
{
    /// <exception cref="TrainingRefusedException">The data do not fill a row.</exception>
    public static TrainingData Read(TrainingJob job, Tokenizer tokenizer, int vocabulary)
    {
        var documents = new DocumentReader(tokenizer).Read(job.Data);
        var largest = documents.Max(document => document.Tokens.DefaultIfEmpty(0).Max());
        if (largest >= vocabulary)
            throw new TrainingRefusedException($"the tokenizer makes token {largest}, and the model has {vocabulary} embeddings", "the tokenizer belongs to another model");
        return Of(job, documents, tokenizer.Vocabulary.Special.Padding ?? tokenizer.Vocabulary.Special.Eos ?? 0);
    }

    private static TrainingData Of(TrainingJob job, List<Document> documents, int padding)
    {
        if (documents.Count == 1)
        {
            var (first, last) = Rows(documents).OrRefuse(job.Data, documents, job.SequenceLength).SplitEnd(job.Validation);
            return new(first.OrRefuse(job.Data, documents, job.SequenceLength), last);
        }
        documents = Shuffle.Of(documents, job.Seed);
        var kept = job.Validation == 0 ? 0 : Math.Max(1, (int)Math.Round(documents.Count * job.Validation));
        var (training, validation) = (documents[kept..], documents[..kept]);
        return new(
            Rows(training).OrRefuse(job.Data, training, job.SequenceLength),
            kept == 0 ? Rows(validation) : Rows(validation).OrRefuse($"{job.Data} (the part for validation)", validation, job.SequenceLength));

        RowSet Rows(List<Document> part) => job.Pack ? RowSet.Pack(part, job.SequenceLength) : RowSet.Pad(part, job.SequenceLength, padding);
    }
}
