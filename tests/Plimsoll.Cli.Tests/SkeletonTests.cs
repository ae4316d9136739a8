namespace Plimsoll.Cli.Tests;

public class SkeletonTests
{
    [Fact]
    public void Runs() => Assert.Equal(4, 2 + 2);
}
