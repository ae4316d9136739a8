using Plimsoll.Numerics;

namespace Plimsoll.Cli.Run;

/// <param name="Prompt">Tokens that the plan counts on at once: those of the prompt, in a conversation up to all of the context.</param>
/// <param name="Batch">Tokens computed at once while a prompt is read.</param>
internal sealed record RunRequest(int Prompt, int Context, int Batch, NumberFormat KvFormat);
