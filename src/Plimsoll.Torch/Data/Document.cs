namespace Plimsoll.Torch.Data;

/// <summary>One text of the data as tokens.</summary>
/// <param name="Tokens">With the tokens that the model wants around a text.</param>
/// <param name="LearntFrom">The first token that is to be predicted: 1 for a text, the length of the prompt for a completion.</param>
internal sealed record Document(int[] Tokens, int LearntFrom);
