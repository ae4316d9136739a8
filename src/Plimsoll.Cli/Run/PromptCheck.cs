using System.Globalization;

namespace Plimsoll.Cli.Run;

/// <summary>Whether tokens can be given to a model.</summary>
internal static class PromptCheck
{
    /// <param name="vocabulary">Tokens of the model; 0 where it has no weights, which loading refuses.</param>
    /// <param name="what">What they are: <c>the prompt</c>.</param>
    /// <exception cref="CliException">There are none, too many, or some that the model does not know.</exception>
    public static void Check(ReadOnlySpan<int> tokens, long context, long vocabulary, string what)
    {
        if (tokens.Length == 0)
            throw CliException.BadInput($"{what} has no tokens", "give the text to go on from");
        if (tokens.Length > context)
            throw CliException.BadInput(Invariant($"{what} has {tokens.Length:N0} tokens, more than the context of {context:N0}"), "shorten it, or give a longer --context");
        foreach (var token in tokens)
        {
            if (vocabulary > 0 && token >= vocabulary)
                throw CliException.BadInput(Invariant($"the tokenizer made token {token}, and the model has {vocabulary:N0}"), "the tokenizer belongs to another model");
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
