using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Runtime;
using Plimsoll.Runtime.Sampling;

namespace Plimsoll.Cli.Run;

/// <summary>Reads a prompt and goes on from it, token by token.</summary>
internal static class Generation
{
    /// <param name="prompt">Tokens, at least one, behind those that the model already holds.</param>
    /// <param name="count">Tokens to generate at most; they fit the context.</param>
    /// <exception cref="OperationCanceledException">The user has interrupted.</exception>
    public static RunReport Run(ICausalModel model, Tokenizer tokenizer, Sampler sampler, ReadOnlySpan<int> prompt, int count, StreamedText text, CliEnvironment environment)
    {
        var logits = new float[model.VocabularySize];
        // Models are padded to round sizes: the last rows of their head may stand for no token.
        var known = Math.Min(model.VocabularySize, tokenizer.Vocabulary.Count);
        sampler.Observe(prompt);
        var start = environment.Time.GetTimestamp();
        model.Forward(prompt, logits);
        var prefill = environment.Time.GetElapsedTime(start);

        start = environment.Time.GetTimestamp();
        var (generated, decoded) = (new List<int>(), 0);
        while (generated.Count < count)
        {
            environment.Interrupted.ThrowIfCancellationRequested();
            var token = sampler.Next(logits.AsSpan(0, known));
            if (tokenizer.EndOfGeneration.Contains(token))
                break;
            generated.Add(token);
            text.Add(token);
            if (generated.Count == count)
                break;
            model.Forward([token], logits);
            decoded++;
        }
        return new()
        {
            Text = text.Finish(),
            PromptTokens = prompt.Length,
            Generated = generated,
            Prefill = prefill,
            Decode = environment.Time.GetElapsedTime(start),
            Decoded = decoded,
        };
    }
}
