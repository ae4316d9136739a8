using System.Xml.Linq;

namespace Plimsoll.Architecture.Tests;

/// <summary>One project file: its folder, and what it states to need.</summary>
/// <param name="Area">The top folder: <c>src</c>, <c>tests</c>, <c>tools</c> or <c>benchmarks</c>.</param>
/// <param name="References">Names of the projects that it references itself.</param>
/// <param name="Packages">Names of the packages that it references itself.</param>
internal sealed record Project(string Name, string Path, string Area, IReadOnlyList<string> References, IReadOnlyList<string> Packages)
{
    public static IReadOnlyList<Project> All { get; } = [.. Repository.Files(".csproj").Select(Read)];

    public static Project Named(string name) => All.Single(project => project.Name == name);

    /// <summary>Every project that this one needs, directly or through others.</summary>
    public IReadOnlySet<string> Reachable()
    {
        var found = new HashSet<string>();
        var open = new Stack<string>(References);
        while (open.TryPop(out var next))
        {
            if (found.Add(next))
            {
                foreach (var reference in Named(next).References)
                    open.Push(reference);
            }
        }
        return found;
    }

    private static Project Read(string path)
    {
        var file = XDocument.Parse(Repository.Read(path));
        return new(
            System.IO.Path.GetFileNameWithoutExtension(path),
            path,
            path[..path.IndexOf('/')],
            [.. Includes(file, "ProjectReference").Select(reference => System.IO.Path.GetFileNameWithoutExtension(reference)!).Order(StringComparer.Ordinal)],
            [.. Includes(file, "PackageReference").Order(StringComparer.Ordinal)]);
    }

    public static IEnumerable<string> Includes(XDocument file, string element) =>
        file.Descendants(element).Select(item => item.Attribute("Include")?.Value).OfType<string>();
}
