using Plimsoll.Numerics;

namespace Plimsoll.Cli.Run;

/// <param name="Prompt">Tokens, at least one.</param>
/// <param name="Count">Tokens to generate at most; they fit the context.</param>
internal sealed record RunRequest(int[] Prompt, int Count, int Context, NumberFormat KvFormat);
