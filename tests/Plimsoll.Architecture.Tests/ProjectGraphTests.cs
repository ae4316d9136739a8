using System.Text;
using System.Xml.Linq;

namespace Plimsoll.Architecture.Tests;

public class ProjectGraphTests
{
    [Fact]
    public void The_projects_depend_on_each_other_as_the_architecture_page_shows() =>
        Repository.MatchSection("docs/architecture.md", "projects", Picture());

    [Fact]
    public void No_project_needs_itself_through_others()
    {
        var cyclic = Project.All.Where(project => project.Reachable().Contains(project.Name)).Select(project => project.Name);
        Assert.Empty(cyclic);
    }

    [Fact]
    public void The_product_never_references_tests_tools_or_benchmarks()
    {
        var wrong = from project in Project.All
                    where project.Area == "src"
                    from reference in project.References
                    where Project.Named(reference).Area != "src"
                    select $"{project.Name} -> {reference}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Nothing_references_a_test_project() =>
        Assert.DoesNotContain(Project.All.SelectMany(project => project.References), reference => reference.EndsWith(".Tests", StringComparison.Ordinal));

    [Fact]
    public void The_lowest_floor_needs_nothing()
    {
        var numerics = Project.Named("Plimsoll.Numerics");
        Assert.Empty(numerics.References);
        Assert.Empty(numerics.Packages);
    }

    [Fact]
    public void Only_the_programs_need_packages()
    {
        var libraries = Project.All.Where(project => project is { Area: "src", Name: not ("Plimsoll.Cli" or "Plimsoll.Torch"), Packages.Count: > 0 });
        Assert.Empty(libraries.Select(project => $"{project.Name}: {string.Join(", ", project.Packages)}"));
    }

    [Fact]
    public void The_solution_lists_every_project_that_does_not_need_libtorch()
    {
        var torch = Project.All.Where(project => project.Name == "Plimsoll.Torch" || project.References.Contains("Plimsoll.Torch")).Select(project => project.Path);
        var listed = XDocument.Parse(Repository.Read("Plimsoll.slnx")).Descendants("Project").Select(project => project.Attribute("Path")!.Value);
        Assert.Equal(Project.All.Select(project => project.Path).Except(torch).Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_library_has_its_tests()
    {
        var names = Project.All.Select(project => project.Name).ToHashSet();
        Assert.Empty(Project.All.Where(project => project.Area == "src" && !names.Contains($"{project.Name}.Tests")).Select(project => project.Name));
    }

    /// <summary>The graph in mermaid: one box per area, an arrow from each project to what it references itself.</summary>
    private static string Picture()
    {
        var picture = new StringBuilder("```mermaid\nflowchart TD\n");
        foreach (var area in Project.All.GroupBy(project => project.Area).OrderBy(area => Array.IndexOf(["src", "tests", "benchmarks", "tools"], area.Key)))
        {
            picture.Append($"  subgraph {area.Key}\n");
            foreach (var project in area)
                picture.Append($"    {project.Name}\n");
            picture.Append("  end\n");
        }
        foreach (var project in Project.All.OrderBy(project => project.Area == "src" ? 0 : 1).ThenBy(project => project.Name, StringComparer.Ordinal))
        {
            foreach (var reference in project.References)
                picture.Append($"  {project.Name} --> {reference}\n");
        }
        return picture.Append("```\n").ToString();
    }
}
