using System.Text;
using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Cli.Run;

/// <summary>Text that appears as its tokens are made.</summary>
internal sealed class StreamedText(Tokenizer tokenizer, TextWriter output)
{
    private readonly TokenStream stream = new(tokenizer);
    private readonly StringBuilder whole = new();

    public void Add(int token) => Append(stream.Add(token));

    /// <summary>Everything, with what was cut off in the middle of a character.</summary>
    public string Finish()
    {
        Append(stream.Flush());
        return whole.ToString();
    }

    private void Append(string text)
    {
        whole.Append(text);
        output.Write(text);
        output.Flush();
    }
}
