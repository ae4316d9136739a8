using Plimsoll.Runtime;

namespace Plimsoll.Evaluation.Tests;

/// <summary>A model whose logits are a function of the token and its position; counts what it is asked for.</summary>
internal sealed class ScriptedModel(int vocabulary, int context, Func<int, int, int, float> logit) : ICausalModel
{
    public List<int> Seen { get; } = [];

    public int VocabularySize => vocabulary;

    public int Context => context;

    public int Position { get; private set; }

    public void Forward(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        Assert.True(Position + tokens.Length <= context);
        var rows = logits.Length / vocabulary;
        for (var index = 0; index < tokens.Length; index++)
        {
            Seen.Add(tokens[index]);
            var row = index - (tokens.Length - rows);
            for (var next = 0; row >= 0 && next < vocabulary; next++)
                logits[row * vocabulary + next] = logit(Position + index, tokens[index], next);
        }
        Position += tokens.Length;
    }

    public void Rewind(int position) => Position = position;
}
