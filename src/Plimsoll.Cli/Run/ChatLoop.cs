using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Runtime;
using Plimsoll.Runtime.Sampling;

namespace Plimsoll.Cli.Run;

/// <summary>Answers one turn after the other; what a turn shares with those before it is not computed again.</summary>
internal sealed class ChatLoop(ICausalModel model, Tokenizer tokenizer, Sampler sampler, Conversation conversation, int count, CliEnvironment environment)
{
    /// <summary>The tokens that the model holds.</summary>
    private int[] held = [];

    /// <param name="turns">What the user says, in order.</param>
    /// <param name="output">Receives the answers, each ended by a line end.</param>
    /// <exception cref="CliException">The conversation is longer than the context, or its template refuses it.</exception>
    /// <exception cref="OperationCanceledException">The user has interrupted.</exception>
    public RunReport Run(IEnumerable<string> turns, TextWriter output) => turns.Aggregate(new RunReport(), (sum, turn) => sum.Then(Answer(turn, output)));

    private RunReport Answer(string turn, TextWriter output)
    {
        var tokens = conversation.Ask(turn);
        PromptCheck.Check(tokens, model.Context, model.VocabularySize, "the conversation");
        var known = Keep(tokens);
        var answer = Generation.Run(model, tokenizer, sampler, tokens.AsSpan(known), Math.Min(count, model.Context - tokens.Length), new(tokenizer, output), environment);
        output.WriteLine();
        conversation.Answer(answer.Text);
        held = [.. tokens, .. answer.Generated];
        return answer;
    }

    /// <summary>Rewinds the model to what it shares with the tokens, the last left out: its logits are wanted.</summary>
    /// <returns>Tokens that stay.</returns>
    private int Keep(int[] tokens)
    {
        var shared = Math.Min(tokens.AsSpan().CommonPrefixLength(held), Math.Min(model.Position, tokens.Length - 1));
        try
        {
            model.Rewind(shared);
            return shared;
        }
        catch (InvalidOperationException)
        {
            // A sliding window has dropped what would be seen again.
            model.Rewind(0);
            return 0;
        }
    }
}
