using System.Text;

namespace Plimsoll.Cli.Tests.Documentation;

/// <summary>A block of a page that begins with <c>$ plimsoll …</c> shows what the tool prints. <c>UPDATE_GOLDEN=1</c> writes it anew.</summary>
[Collection(Shell.Collection)]
public class ConsoleBlockTests
{
    private const string Fence = "```console\n";

    public static TheoryData<string> Pages => [.. Repository.Files(".md").Where(path => Repository.Read(path).Contains(Fence, StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_console_block_shows_the_real_output(string path)
    {
        var page = Repository.Read(path);
        var expected = new StringBuilder();
        var at = 0;
        for (var start = page.IndexOf(Fence, StringComparison.Ordinal); start >= 0; start = page.IndexOf(Fence, at, StringComparison.Ordinal))
        {
            var body = start + Fence.Length;
            var end = page.IndexOf("```", body, StringComparison.Ordinal);
            var command = page[body..page.IndexOf('\n', body)];
            Assert.StartsWith("$ ", command, StringComparison.Ordinal);
            expected.Append(page, at, body - at).Append(command).Append('\n').Append(Shell.Print(command[2..]));
            at = end;
        }
        expected.Append(page, at, page.Length - at);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(Path.Combine(Repository.Root, path), expected.ToString());
        else
            Assert.Equal(expected.ToString(), page);
    }

    [Fact]
    public void The_README_shows_the_main_job() =>
        Assert.Contains("$ dotnet run -c Release --project src/Plimsoll.Cli -- fit demo --memory 1MiB\n", Repository.Read("README.md"), StringComparison.Ordinal);
}
