using System.Text;
using Plimsoll.Torch.Native;

namespace Plimsoll.Torch.Tests.Native;

public class SymbolVersionTests
{
    /// <summary>From readelf -V of a library linked with GCC 13 and of one linked with GCC 12.</summary>
    [Theory]
    [InlineData("GLIBC_2.2.5", 0x09691a75u)]
    [InlineData("GLIBCXX_3.4", 0x08922974u)]
    public void Names_hash_as_linkers_hash_them(string name, uint expected) => Assert.Equal(expected, SymbolVersion.Hash(name));

    [Fact]
    public void A_requirement_is_lowered_where_it_stands()
    {
        byte[] library = [9, 0, .. Encoding.ASCII.GetBytes("GLIBCXX_3.4.32"), 0, 8, 8, .. BitConverter.GetBytes(SymbolVersion.Hash("GLIBCXX_3.4.32")), 7];

        Assert.True(SymbolVersion.Lower(library, "GLIBCXX_3.4.32", "GLIBCXX_3.4.30"));

        Assert.Equal([9, 0, .. Encoding.ASCII.GetBytes("GLIBCXX_3.4.30"), 0, 8, 8, .. BitConverter.GetBytes(SymbolVersion.Hash("GLIBCXX_3.4.30")), 7], library);
    }

    [Fact]
    public void A_library_that_asks_for_nothing_newer_stays_as_it_is()
    {
        var library = Encoding.ASCII.GetBytes("\0GLIBCXX_3.4.29\0");
        Assert.False(SymbolVersion.Lower(library, "GLIBCXX_3.4.32", "GLIBCXX_3.4.30"));
        Assert.Equal("\0GLIBCXX_3.4.29\0", Encoding.ASCII.GetString(library));
    }
}
