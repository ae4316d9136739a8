using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Plimsoll.Architecture.Tests;

public partial class DocumentTests
{
    private const int MostFilesPerGuide = 6;

    [Fact]
    public void Every_package_has_a_sentence()
    {
        var page = Repository.Read("docs/dependencies.md");
        var packages = Project.Includes(XDocument.Parse(Repository.Read("Directory.Packages.props")), "PackageVersion").ToList();
        Assert.NotEmpty(packages);
        Assert.DoesNotContain(packages, package => !Regex.IsMatch(page, $@"^\| `{Regex.Escape(package)}` \| [^|]+ \| [^|]{{30,}} \|$", RegexOptions.Multiline));
        var described = PackageRow().Matches(page).Select(match => match.Groups[1].Value);
        Assert.Empty(described.Except(packages));
    }

    [Fact]
    public void The_README_quotes_the_accuracy_page()
    {
        string[] quoted = ["group", "---", "llamacpp-ik kv_cache", "qwen3-tf", "qwen2.5-tf", "qwen2-tf", "all inference", "all training", "all throughput"];
        var rows = Repository.Read("docs/accuracy.md").Split('\n').Where(line => line.StartsWith('|')).ToList();
        var quote = quoted.Select(name => rows.First(row => row.StartsWith(name == "---" ? "|---" : $"| {name} |", StringComparison.Ordinal)) + "\n");
        Repository.MatchSection("README.md", "accuracy", string.Concat(quote));
    }

    [Fact]
    public void Every_link_inside_the_repository_leads_somewhere()
    {
        var broken = from path in Repository.Files(".md")
                     from Match link in Link().Matches(Repository.Read(path))
                     let target = link.Groups[1].Value
                     where !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#')
                     let file = Path.GetRelativePath(Repository.Root, Path.Combine(Repository.Root, Path.GetDirectoryName(path)!, target.Split('#')[0])).Replace('\\', '/')
                     where !Repository.Has(file)
                     select $"{path}: {target}";
        Assert.Empty(broken);
    }

    [Fact]
    public void Every_page_of_the_documentation_is_linked_from_another()
    {
        var linked = from path in Repository.Files(".md")
                     from Match link in Link().Matches(Repository.Read(path))
                     select Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(path)!, link.Groups[1].Value.Split('#')[0]));
        var targets = linked.ToHashSet();
        var lost = Repository.Files(".md").Where(path => path.StartsWith("docs/", StringComparison.Ordinal) && !targets.Contains(Path.Combine(Repository.Root, path)));
        Assert.Empty(lost);
    }

    [Fact]
    public void Each_guide_of_CONTRIBUTING_takes_at_most_six_files_and_names_files_that_exist()
    {
        var guides = Repository.Read("CONTRIBUTING.md").Split("\n### ").Skip(1).ToList();
        Assert.True(guides.Count >= 6, "CONTRIBUTING.md has lost its guides");
        foreach (var guide in guides)
        {
            var title = guide[..guide.IndexOf('\n')];
            var steps = GuideStep().Matches(guide).Select(match => match.Groups[1].Value).ToList();
            Assert.True(steps.Count is > 0 and <= MostFilesPerGuide, $"'{title}' takes {steps.Count} files");
            // A new file has a placeholder in its name; its folder must exist.
            Assert.All(steps, step => Assert.True(Repository.Has(Placeholder().IsMatch(step) ? Path.GetDirectoryName(step)! : step), $"'{title}' names {step}, which does not exist"));
        }
    }

    [GeneratedRegex(@"^\| `([A-Za-z.0-9]+)` \|", RegexOptions.Multiline)]
    private static partial Regex PackageRow();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\d+\. `([^`]+)`", RegexOptions.Multiline)]
    private static partial Regex GuideStep();

    [GeneratedRegex(@"/X(\.cs)?$")]
    private static partial Regex Placeholder();
}
