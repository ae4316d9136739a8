using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Runtime;
using Plimsoll.Runtime.Sampling;

namespace Plimsoll.Cli.Run;

/// <summary>Reads a prompt and goes on from it, token by token.</summary>
internal static class Generation
{
    /// <exception cref="OperationCanceledException">The user has interrupted.</exception>
    public static RunReport Run(ICausalModel model, Tokenizer tokenizer, Sampler sampler, RunRequest request, StreamedText text, CliEnvironment environment)
    {
        var logits = new float[model.VocabularySize];
        // Models are padded to round sizes: the last rows of their head may stand for no token.
        var known = Math.Min(model.VocabularySize, tokenizer.Vocabulary.Count);
        sampler.Observe(request.Prompt);
        var start = environment.Time.GetTimestamp();
        model.Forward(request.Prompt, logits);
        var prefill = environment.Time.GetElapsedTime(start);

        start = environment.Time.GetTimestamp();
        var (generated, computed) = (0, 0);
        while (generated < request.Count)
        {
            environment.Interrupted.ThrowIfCancellationRequested();
            var token = sampler.Next(logits.AsSpan(0, known));
            if (tokenizer.EndOfGeneration.Contains(token))
                break;
            generated++;
            text.Add(token);
            if (generated == request.Count)
                break;
            model.Forward([token], logits);
            computed++;
        }
        var decode = environment.Time.GetElapsedTime(start);
        return new()
        {
            Text = text.Finish(),
            PromptTokens = request.Prompt.Length,
            GeneratedTokens = generated,
            PrefillTokensPerSecond = Rate(request.Prompt.Length, prefill),
            DecodeTokensPerSecond = Rate(computed, decode),
        };
    }

    private static double? Rate(int tokens, TimeSpan time) => tokens > 0 && time > TimeSpan.Zero ? tokens / time.TotalSeconds : null;
}
