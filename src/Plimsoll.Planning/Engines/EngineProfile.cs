using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>The measured constants of one engine in one range of versions.</summary>
/// <remarks>Constants are data (<c>engines.json</c>), each with its source; the formulas that use them are code, one planner per engine.</remarks>
public sealed class EngineProfile
{
    private readonly IReadOnlyDictionary<string, EngineConstant> constants;

    internal EngineProfile(string id, string name, string since, IReadOnlyDictionary<string, EngineConstant> constants)
    {
        Id = id;
        Name = name;
        Since = since;
        this.constants = constants;
    }

    /// <summary>The name on the command line: <c>llama.cpp</c>, <c>vllm</c>.</summary>
    public string Id { get; }

    public string Name { get; }

    /// <summary>The first version that these constants describe.</summary>
    public string Since { get; }

    internal ByteRange Bytes(string constant) => this[constant].Bytes ?? throw new InvalidOperationException($"engine constant '{Id}/{constant}' is not a size");

    internal string Text(string constant) => this[constant].Text ?? throw new InvalidOperationException($"engine constant '{Id}/{constant}' is not a value");

    /// <summary>Whether a constant has this value; false when the engine has no such constant.</summary>
    internal bool Says(string constant, string value) => constants.TryGetValue(constant, out var found) && found.Text == value;

    /// <summary>Whether a constant that is a list of words has this one.</summary>
    internal bool Lists(string constant, string word) => constants.TryGetValue(constant, out var found) && found.Text!.Split(' ').Contains(word);

    /// <summary>Whether the engine has this constant, and it is a number of bytes.</summary>
    internal bool IsSize(string constant) => constants.TryGetValue(constant, out var found) && found.Bytes is not null;

    internal EngineProfile With(string constant, EngineConstant value) =>
        new(Id, Name, Since, new Dictionary<string, EngineConstant>(constants) { [constant] = value });

    internal double Number(string constant) => double.Parse(Text(constant), CultureInfo.InvariantCulture);

    internal string Source(string constant) => this[constant].Source;

    internal PlanLine Line(PlanCategory category, string name, string constant, MemoryPlace place = MemoryPlace.Device)
    {
        var bytes = Bytes(constant);
        var formula = $"measured: {new ByteSize(bytes.Low)} to {new ByteSize(bytes.High)}";
        return new(category, name, bytes, formula, Source(constant), place);
    }

    private EngineConstant this[string name] =>
        constants.TryGetValue(name, out var constant) ? constant : throw new InvalidOperationException($"engine '{Id}' has no constant '{name}'");
}

/// <summary>One constant: a size with bounds, or a value.</summary>
internal sealed record EngineConstant(ByteRange? Bytes, string? Text, string Source);
