namespace Plimsoll.Testing.Builders;

/// <summary>A tensor to write: its name, safetensors dtype and shape.</summary>
public sealed record StoredTensor(string Name, string Type, params long[] Shape)
{
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    public long Bytes => Elements * Bits(Type) / 8;

    private static int Bits(string type) => type switch
    {
        "F64" or "I64" => 64,
        "F32" or "I32" or "U32" => 32,
        "F16" or "BF16" or "I16" => 16,
        "F8_E4M3" or "F8_E8M0" or "I8" or "U8" or "BOOL" => 8,
        _ => throw new ArgumentException($"no size for {type}", nameof(type)),
    };
}
