using System.Text;

namespace Plimsoll.Torch.Native;

/// <summary>Lowers the version of a library that an ELF file asks for.</summary>
/// <remarks>
/// A requirement is an entry of <c>.gnu.version_r</c> with the version's name (an offset into the string table) and the hash of that name, so a name of the same
/// length and its hash are exchanged where they are. Source: System V ABI, Linux Standard Base 5.0 section 10.7.
/// </remarks>
internal static class SymbolVersion
{
    /// <returns>Whether the requirement was there.</returns>
    /// <exception cref="ArgumentException">The names differ in length.</exception>
    public static bool Lower(Span<byte> library, string from, string to)
    {
        if (from.Length != to.Length)
            throw new ArgumentException($"'{to}' does not fit the place of '{from}'", nameof(to));
        var name = library.IndexOf(Encoding.ASCII.GetBytes("\0" + from + "\0"));
        var hash = library.IndexOf(BitConverter.GetBytes(Hash(from)));
        if (name < 0 || hash < 0)
            return false;
        Encoding.ASCII.GetBytes(to, library[(name + 1)..]);
        BitConverter.TryWriteBytes(library[hash..], Hash(to));
        return true;
    }

    /// <summary>The hash of the System V ABI.</summary>
    internal static uint Hash(string name)
    {
        var hash = 0u;
        foreach (var letter in name)
        {
            hash = (hash << 4) + letter;
            var high = hash & 0xF000_0000;
            hash = (hash ^ (high >> 24)) & ~high;
        }
        return hash;
    }
}
