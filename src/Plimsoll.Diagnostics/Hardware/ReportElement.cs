using System.Net;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>An element of the report of <c>nvidia-smi -q -x</c>, which has no text beside elements. Attributes, comments and declarations are passed over.</summary>
/// <remarks>A reader of all XML would be more than half a megabyte of the native program.</remarks>
internal sealed class ReportElement(string name)
{
    /// <summary>The report of nvidia-smi is six deep.</summary>
    private const int MaxDepth = 32;

    public string Name { get; } = name;

    public List<ReportElement> Elements { get; } = [];

    public string Text { get; private set; } = "";

    public ReportElement? this[string name] => Elements.Find(element => element.Name == name);

    public IEnumerable<ReportElement> All(string name) => Elements.Where(element => element.Name == name);

    /// <returns>The outermost element.</returns>
    /// <exception cref="LocalGpuException">The text is no such report, or is cut.</exception>
    public static ReportElement Parse(ReadOnlySpan<char> xml)
    {
        var root = new ReportElement("");
        var open = new Stack<ReportElement>([root]);
        while (xml.IndexOf('<') is >= 0 and var start)
        {
            var before = xml[..start];
            xml = xml[start..];
            var isComment = xml.StartsWith("<!--", StringComparison.Ordinal);
            var end = isComment ? xml.IndexOf("-->", StringComparison.Ordinal) + 2 : xml.IndexOf('>');
            if (end < 2)
                throw Bad("a tag is not closed");
            var tag = xml[1..end];
            xml = xml[(end + 1)..];
            if (tag[0] is '?' or '!')
                continue;
            if (tag[0] == '/')
            {
                var closed = open.Pop();
                if (open.Count == 0 || !tag[1..].Trim().SequenceEqual(closed.Name))
                    throw Bad($"</{tag[1..]}> closes nothing");
                closed.Text = closed.Elements.Count == 0 ? WebUtility.HtmlDecode(before.Trim().ToString()) : "";
                continue;
            }
            var name = tag.TrimEnd('/');
            var element = new ReportElement((name.IndexOfAny(" \t\r\n") is > 0 and var space ? name[..space] : name).ToString());
            open.Peek().Elements.Add(element);
            if (tag[^1] != '/')
                open.Push(element);
            if (open.Count > MaxDepth)
                throw Bad($"elements are more than {MaxDepth} deep");
        }
        return open.Count > 1 ? throw Bad($"<{open.Peek().Name}> is not closed") : root.Elements is [var only] ? only : throw Bad("it is not one element");
    }

    private static LocalGpuException Bad(string why) => new($"nvidia-smi -q -x did not answer with a report: {why}");
}
