using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Plimsoll.Cli;

/// <summary>Names come from files and servers of strangers; their control characters must not reach the terminal, which would obey them.</summary>
internal static class PrintableText
{
    /// <summary>The text with every control character but line ends and tabs replaced by U+FFFD.</summary>
    public static string Clean(string text) => text.AsSpan().IndexOfAny(Controls) < 0
        ? text
        : string.Create(text.Length, text, (clean, original) =>
        {
            for (var i = 0; i < clean.Length; i++)
                clean[i] = IsControl(original[i]) ? '\ufffd' : original[i];
        });

    /// <summary>C0 without tab, line feed and carriage return; DEL; C1, whose 0x9B begins a sequence as ESC [ does.</summary>
    private static bool IsControl(char letter) => letter is < ' ' and not ('\t' or '\n' or '\r') or (>= '\x7f' and <= '\x9f');

    private static readonly System.Buffers.SearchValues<char> Controls =
        System.Buffers.SearchValues.Create([.. Enumerable.Range(0, 0xa0).Select(code => (char)code).Where(IsControl)]);

    /// <summary>A writer that cleans what passes through it.</summary>
    public sealed class Writer(TextWriter inner) : TextWriter
    {
        public override Encoding Encoding => inner.Encoding;

        public override void Write(char value) => inner.Write(IsControl(value) ? '\ufffd' : value);

        public override void Write(string? value) => inner.Write(value is null ? null : Clean(value));

        public override void Write(char[] buffer, int index, int count) => inner.Write(Clean(new string(buffer, index, count)));

        public override void WriteLine(string? value) => inner.WriteLine(value is null ? null : Clean(value));

        public override void Flush() => inner.Flush();
    }

    /// <summary>Cleans what Spectre.Console is about to draw; its own colour codes come later and stay.</summary>
    public sealed class Hook : IRenderHook
    {
        public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) => renderables.Select(inner => new Cleaned(inner));
    }

    private sealed class Cleaned(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            inner.Render(options, maxWidth).Select(segment => segment.IsControlCode || segment.IsLineBreak ? segment : new Segment(Clean(segment.Text), segment.Style));
    }
}
