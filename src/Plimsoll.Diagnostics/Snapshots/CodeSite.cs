namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>A line of code that holds memory: the innermost frame of the program's own code.</summary>
/// <param name="Name">The function.</param>
/// <param name="File">Empty where no stack was recorded.</param>
public sealed record CodeSite(string Name, string File, int Line)
{
    public static CodeSite Unknown { get; } = new("", "", 0);

    /// <summary>Parts of paths of code that allocates for others.</summary>
    private static readonly string[] Frameworks =
    [
        "/torch/", "/torchvision/", "/transformers/", "/accelerate/", "/peft/", "/deepspeed/", "/bitsandbytes/", "/lightning/", "/pytorch_lightning/", "/flash_attn/", "/xformers/",
        "/trl/", "/lib/python", "<frozen ", "<string>", "<__array_function__",
    ];

    /// <summary>Machine code with symbols has lines, too.</summary>
    private static readonly string[] NativeEndings = [".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp"];

    /// <summary><c>models.py:174 (update_nodes)</c>.</summary>
    public override string ToString() => File.Length == 0 ? "(no stack recorded)" : Line > 0 ? $"{FileName(File)}:{Line} ({Name})" : Name;

    /// <summary>The innermost frame that is Python and no framework's; else the innermost that is Python; else the innermost with a name.</summary>
    public static CodeSite Of(StackTable stacks, int stack)
    {
        CodeSite? python = null, native = null;
        foreach (var frame in stacks.Frames(stack))
        {
            if (!IsPython(frame))
                native ??= new(frame.Name, frame.File.Length == 0 ? "??" : frame.File, 0);
            else if (!IsFramework(frame))
                return new(frame.Name, frame.File, frame.Line);
            else
                python ??= new(frame.Name, frame.File, frame.Line);
        }
        return python ?? native ?? Unknown;
    }

    /// <summary>The program's own frames from the innermost on, without the framework's between them.</summary>
    public static IEnumerable<CodeSite> Callers(StackTable stacks, int stack) =>
        stacks.Frames(stack).Where(frame => IsPython(frame) && !IsFramework(frame)).Select(frame => new CodeSite(frame.Name, frame.File, frame.Line));

    public static string FileName(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    private static bool IsPython(StackFrame frame) => frame.Line > 0 && !NativeEndings.Any(ending => frame.File.EndsWith(ending, StringComparison.Ordinal));

    private static bool IsFramework(StackFrame frame)
    {
        var path = frame.File.Replace('\\', '/');
        return Frameworks.Any(part => path.Contains(part, StringComparison.Ordinal));
    }
}
