using System.Text.RegularExpressions;

namespace Plimsoll.Architecture.Tests;

public class SourceRulesTests
{
    private const int LongestFile = 400;

    /// <summary>Files that may be longer, each with its reason.</summary>
    private static readonly Dictionary<string, string> LongFiles = [];

    /// <summary>What must not be used, where (a path prefix), except in which files, and why.</summary>
    private static readonly (string Pattern, string Where, string[] Except, string Reason)[] Banned =
    [
        (@"(?<!Spectre\.)\bConsole\.", "src/", ["src/Plimsoll.Cli/CliEnvironment.cs", "src/Plimsoll.Cli/Program.cs", "src/Plimsoll.Torch/Program.cs"], "output goes through Terminal, so that tests can read it"),
        (@"Environment\.GetEnvironmentVariable", "src/", ["src/Plimsoll.Cli/CliEnvironment.cs"], "the environment is passed in"),
        (@"Environment\.Exit|Environment\.FailFast", "src/", [], "a command returns its exit code"),
        (@"\bDateTime(Offset)?\.(Now|UtcNow|Today)\b", "", [], "time is passed in as a TimeProvider"),
        (@"Thread\.Sleep", "", [], "nothing waits by the clock"),
        (@"Task\.Delay\((?!Timeout\.Infinite)", "tests/", [], "a test waits for an event, never for a time"),
        (@"\bHttpClient\b", "src/", ["src/Plimsoll.Checkpoints/HuggingFace/HubHttp.cs"], "one place speaks HTTP, with its limits, retries and token rules"),
        (@"Process\.Start", "src/", ["src/Plimsoll.Planning/Gpus/LocalGpus.cs", "src/Plimsoll.Cli/Train/TorchProgram.cs"], "other programs are started in two places: nvidia-smi, and plimsoll-torch"),
        (@"BinaryFormatter|NetDataContractSerializer", "", [], "a format that executes what it reads"),
        (@"\bActivator\.|Assembly\.Load|Reflection\.Emit|\bdynamic\b\s+\w+\s*=", "src/", [], "trimming and Native AOT cannot see through it"),
        (@"JsonSerializer\.(Des|S)erialize", "src/", [], "reflection; read with JsonElement or Utf8JsonReader, write with Utf8JsonWriter"),
        (@"NotImplementedException|NotSupportedException\(\)", "src/", [], "nothing unfinished behind a public door"),
        (@"\b(TODO|FIXME|HACK|XXX)\b", "", [], "an open end belongs into an issue"),
    ];

    public static TheoryData<string> BannedPatterns => [.. Banned.Select(rule => rule.Pattern)];

    [Theory]
    [MemberData(nameof(BannedPatterns))]
    public void Banned_usage_does_not_occur(string pattern)
    {
        var rule = Banned.Single(candidate => candidate.Pattern == pattern);
        var expression = new Regex(pattern, RegexOptions.CultureInvariant);
        var found = from path in Sources()
                    where path.StartsWith(rule.Where, StringComparison.Ordinal) && !rule.Except.Contains(path)
                    from line in Code(path)
                    where expression.IsMatch(line.Text)
                    select $"{path}:{line.Number}: {line.Text.Trim()}";
        Assert.True(!found.Any(), $"{rule.Reason}:\n{string.Join('\n', found)}");
    }

    [Fact]
    public void Every_exception_to_a_ban_is_still_needed()
    {
        var idle = from rule in Banned
                   from path in rule.Except
                   where !Repository.Has(path) || (!path.EndsWith("Program.cs", StringComparison.Ordinal) && !Code(path).Any(line => Regex.IsMatch(line.Text, rule.Pattern)))
                   select $"{path} does not use {rule.Pattern}";
        Assert.Empty(idle);
    }

    [Fact]
    public void A_file_is_short_or_has_a_reason()
    {
        var tooLong = Sources().Where(path => !LongFiles.ContainsKey(path)).Select(path => (path, Lines: Code(path).Count())).Where(file => file.Lines > LongestFile);
        Assert.Empty(tooLong.Select(file => $"{file.path}: {file.Lines} lines"));
        Assert.DoesNotContain(LongFiles.Keys, path => !Repository.Has(path) || Code(path).Count() <= LongestFile);
    }

    [Fact]
    public void A_suppressed_warning_has_its_reason_on_the_same_line()
    {
        var silent = from path in Sources()
                     from line in Code(path)
                     where line.Text.Contains("#pragma warning disable", StringComparison.Ordinal) && !line.Text.Contains("//", StringComparison.Ordinal)
                     select $"{path}:{line.Number}";
        Assert.Empty(silent);
    }

    /// <summary>All sources but this file, which names what it bans.</summary>
    private static IEnumerable<string> Sources() => Repository.Files(".cs").Where(path => !path.EndsWith($"/{nameof(SourceRulesTests)}.cs", StringComparison.Ordinal));

    private static IEnumerable<(int Number, string Text)> Code(string path) => Repository.Read(path).Split('\n').Select((text, index) => (index + 1, text));
}
