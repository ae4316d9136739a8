using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Checkpoints.Pickle;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.PyTorch;

/// <summary>Walks the value that torch.save stored and collects its tensors, each under the keys that lead to it, joined by dots.</summary>
/// <remarks>A state dict gives the tensors' own names; a training checkpoint gives <c>model.…</c> and <c>optimizer.state.0.exp_avg</c>.</remarks>
internal sealed class PyTorchState
{
    /// <summary>Training checkpoints nest five deep.</summary>
    private const int MaxDepth = 64;

    /// <summary>Plain values kept as metadata, such as the iteration and the model's arguments.</summary>
    private const int MaxMetadata = 1024;

    private const int MaxMetadataLength = 1024;

    private readonly string _path;
    private readonly Func<PyTorchStorage, long> _offsetOf;
    private readonly HashSet<object> _visited = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly ImmutableArray<TensorHeader>.Builder _tensors = ImmutableArray.CreateBuilder<TensorHeader>();
    private readonly ImmutableDictionary<string, string>.Builder _metadata = ImmutableDictionary.CreateBuilder<string, string>();

    private PyTorchState(string path, Func<PyTorchStorage, long> offsetOf)
    {
        _path = path;
        _offsetOf = offsetOf;
    }

    /// <param name="offsetOf">Where the data of a storage starts in the file; throws when the file has no such storage or another size.</param>
    /// <exception cref="CheckpointFormatException">A tensor's description is broken or reaches beyond its storage.</exception>
    public static (ImmutableArray<TensorHeader> Tensors, ImmutableDictionary<string, string> Metadata) Collect(
        string path, PickleValue root, Func<PyTorchStorage, long> offsetOf)
    {
        var state = new PyTorchState(path, offsetOf);
        state.Visit("", root, 0);
        return (state._tensors.DrainToImmutable(), state._metadata.ToImmutable());
    }

    private void Visit(string name, PickleValue value, int depth)
    {
        if (depth > MaxDepth)
            throw Bad($"values nested at most {MaxDepth} deep", $"more under '{name}'");
        if (value.Call is { } call)
        {
            if (Tensor(name, call, depth) is { } tensor)
                Add(tensor);
            return;
        }
        if (value.Dictionary is { } dictionary)
        {
            // Once per container: shared ones must not multiply the walk, and cycles must end.
            if (_visited.Add(dictionary))
            {
                foreach (var (key, child) in dictionary.Entries)
                    Visit(Join(name, key.Text ?? key.ToString()), child, depth + 1);
            }
        }
        else if (value.Items is { } items)
        {
            if (_visited.Add(value.Identity!))
            {
                for (var index = 0; index < items.Count; index++)
                    Visit(Join(name, index.ToString(CultureInfo.InvariantCulture)), items[index], depth + 1);
            }
        }
        else
        {
            Keep(name, value);
        }
    }

    private static string Join(string name, string key) => name.Length == 0 ? key : $"{name}.{key}";

    private void Keep(string name, PickleValue value)
    {
        var text = value.Kind switch
        {
            PickleKind.Text => value.Text,
            PickleKind.Boolean or PickleKind.Integer or PickleKind.Float => value.ToString(),
            _ => null,
        };
        if (text is { Length: <= MaxMetadataLength } && name.Length is > 0 and <= MaxMetadataLength && _metadata.Count < MaxMetadata)
            _metadata[name] = text;
    }

    private void Add(TensorHeader tensor)
    {
        if (!_names.Add(tensor.Name))
            throw Bad("every tensor name once", $"'{tensor.Name}' a second time");
        _tensors.Add(tensor);
    }

    /// <summary>The tensor that a call would rebuild; null when the call makes something else.</summary>
    private TensorHeader? Tensor(string name, PickleCall call, int depth)
    {
        if (depth > MaxDepth)
            throw Bad($"values nested at most {MaxDepth} deep", $"more under '{name}'");
        var arguments = call.Arguments.Items!;
        switch (call.Callable.ToString())
        {
            case PyTorchGlobals.RebuildTensorV2:
                return FromStorage(name, arguments, null);
            case PyTorchGlobals.RebuildTensorV3:
                var type = arguments.Count > 6 ? arguments[6].Global : null;
                return FromStorage(name, arguments, type is null ? throw Bad($"a dtype for tensor '{name}'", "none") : Format(type));
            // (tensor, requires_grad, hooks[, state])
            case PyTorchGlobals.RebuildParameter or PyTorchGlobals.RebuildParameterWithState:
                return arguments is [{ Call: { } data }, ..] ? Tensor(name, data, depth + 1) : throw Bad($"a tensor as the data of parameter '{name}'", "none");
            // (function, type, arguments, state)
            case PyTorchGlobals.RebuildFromType:
                return arguments is [{ Global: { } function }, _, { Kind: PickleKind.Tuple } inner, ..]
                    ? Tensor(name, new PickleCall(function, inner), depth + 1)
                    : throw Bad($"a function and its arguments for tensor '{name}'", "other values");
            default:
                return null;
        }
    }

    private NumberFormat Format(PickleGlobal type) => PyTorchGlobals.Format(type) ?? throw Bad("a dtype with a known number format", type.ToString());

    /// <param name="arguments">(storage, offset, size, stride, …), all counted in elements.</param>
    /// <param name="format">The element type, where the storage does not tell it.</param>
    private TensorHeader FromStorage(string name, IReadOnlyList<PickleValue> arguments, NumberFormat? format)
    {
        if (arguments.Count < 4 || arguments[0].PersistentId is not { } id || arguments[1].Integer is not (>= 0 and { } first))
            throw Bad($"(storage, offset, size, stride, …) for tensor '{name}'", "other values");
        var storage = PyTorchStorage.Parse(_path, id);
        format ??= storage.Format;
        var (size, stride) = (Integers(name, arguments[2]), Integers(name, arguments[3]));
        if (size.Length != stride.Length)
            throw Bad($"as many strides as dimensions for tensor '{name}'", $"{stride.Length} for {size.Length}");
        try
        {
            var start = _offsetOf(storage);
            var span = Span(size, stride);
            if (checked(first + span) > storage.Bytes / format.BlockBytes)
            {
                throw Bad($"tensor '{name}' within the {storage.Bytes / format.BlockBytes:N0} elements of storage '{storage.Key}'",
                    $"elements {first:N0} to {first + span:N0}");
            }
            var isRowMajor = IsRowMajor(size, stride);
            return new(name, format, size, _path, start + first * format.BlockBytes, span * format.BlockBytes) { Strides = isRowMajor ? null : stride };
        }
        catch (OverflowException)
        {
            throw Bad($"a size of tensor '{name}' that fits 64 bits", $"[{string.Join(", ", size)}]");
        }
    }

    private ImmutableArray<long> Integers(string name, PickleValue value)
    {
        var items = value.Items ?? (value.Call is { Arguments.Items: [var sizes] } call && call.Callable.ToString() == PyTorchGlobals.Size ? sizes.Items : null);
        if (items is null || items.Count > 64 || items.Any(item => item.Integer is not >= 0))
            throw Bad($"a tuple of up to 64 non-negative integers for tensor '{name}'", value.ToString());
        return [.. items.Select(item => item.Integer!.Value)];
    }

    /// <summary>Elements from the first to the last, both included.</summary>
    private static long Span(ImmutableArray<long> size, ImmutableArray<long> stride)
    {
        if (size.Contains(0))
            return 0;
        var (elements, span) = (1L, 1L);
        for (var index = 0; index < size.Length; index++)
        {
            elements = checked(elements * size[index]);
            span = checked(span + (size[index] - 1) * stride[index]);
        }
        return span;
    }

    private static bool IsRowMajor(ImmutableArray<long> size, ImmutableArray<long> stride)
    {
        var expected = 1L;
        for (var index = size.Length - 1; index >= 0; index--)
        {
            if (size[index] > 1 && stride[index] != expected)
                return size.Contains(0);
            expected *= Math.Max(1, size[index]);
        }
        return true;
    }

    private CheckpointFormatException Bad(string expected, string found) => new(_path, null, expected, found);
}
