using System.Collections.Frozen;
using Plimsoll.Checkpoints.Pickle;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.PyTorch;

/// <summary>The Python names that a file of tensors needs, and what they mean.</summary>
/// <remarks>The part of torch.load's own allow-list (torch/_weights_only_unpickler.py) that describes dense tensors and plain values.</remarks>
internal static class PyTorchGlobals
{
    /// <summary>Element types by the name of torch's storage class; the table of formats knows them by their safetensors name.</summary>
    private static readonly FrozenDictionary<string, string> StorageTypes = new Dictionary<string, string>
    {
        ["torch.DoubleStorage"] = "F64",
        ["torch.FloatStorage"] = "F32",
        ["torch.HalfStorage"] = "F16",
        ["torch.BFloat16Storage"] = "BF16",
        ["torch.LongStorage"] = "I64",
        ["torch.IntStorage"] = "I32",
        ["torch.ShortStorage"] = "I16",
        ["torch.CharStorage"] = "I8",
        ["torch.ByteStorage"] = "U8",
        ["torch.BoolStorage"] = "BOOL",
        ["torch.ComplexFloatStorage"] = "C64",
        [UntypedStorage] = "U8",
    }.ToFrozenDictionary();

    /// <summary>Element types of the newer ones, which have no storage class of their own.</summary>
    private static readonly FrozenDictionary<string, string> DataTypes = new Dictionary<string, string>
    {
        ["torch.float64"] = "F64",
        ["torch.float32"] = "F32",
        ["torch.float16"] = "F16",
        ["torch.bfloat16"] = "BF16",
        ["torch.float8_e4m3fn"] = "F8_E4M3",
        ["torch.float8_e5m2"] = "F8_E5M2",
        ["torch.float8_e4m3fnuz"] = "F8_E4M3FNUZ",
        ["torch.float8_e5m2fnuz"] = "F8_E5M2FNUZ",
        ["torch.float8_e8m0fnu"] = "F8_E8M0",
        ["torch.int64"] = "I64",
        ["torch.int32"] = "I32",
        ["torch.int16"] = "I16",
        ["torch.int8"] = "I8",
        ["torch.uint64"] = "U64",
        ["torch.uint32"] = "U32",
        ["torch.uint16"] = "U16",
        ["torch.uint8"] = "U8",
        ["torch.bool"] = "BOOL",
        ["torch.complex64"] = "C64",
    }.ToFrozenDictionary();

    public const string UntypedStorage = "torch.storage.UntypedStorage";
    public const string RebuildTensorV2 = "torch._utils._rebuild_tensor_v2";
    public const string RebuildTensorV3 = "torch._utils._rebuild_tensor_v3";
    public const string RebuildParameter = "torch._utils._rebuild_parameter";
    public const string RebuildParameterWithState = "torch._utils._rebuild_parameter_with_state";
    public const string RebuildFromType = "torch._tensor._rebuild_from_type_v2";
    public const string Size = "torch.Size";

    public static PickleGlobals Allowed { get; } = new("a name that rebuilds tensors; convert the file to safetensors where it was made", ((string[])
    [
        .. StorageTypes.Keys, .. DataTypes.Keys,
        RebuildTensorV2, RebuildTensorV3, RebuildParameter, RebuildParameterWithState, RebuildFromType, Size,
        "torch.Tensor", "torch.nn.parameter.Parameter", "torch.device",
        "collections.OrderedDict", "collections.Counter", "builtins.set", "__builtin__.set", "builtins.bytearray", "builtins.complex", "_codecs.encode",
    ]).ToFrozenSet());

    /// <summary>The format of a storage class or of a dtype; null when the name is neither, or has no entry in the table of formats.</summary>
    public static NumberFormat? Format(PickleGlobal name) =>
        (StorageTypes.GetValueOrDefault(name.ToString()) ?? DataTypes.GetValueOrDefault(name.ToString())) is { } type
            ? NumberFormats.FromSafetensorsType(type)
            : null;
}
