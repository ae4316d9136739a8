using System.Collections.Immutable;
using Plimsoll.Checkpoints;
using Plimsoll.Models.Inspection;

namespace Plimsoll.Cli.Inspect;

/// <summary>Finds the checkpoints of a folder: the one it is, or all that lie in it and in its subfolders.</summary>
internal static class InspectFolder
{
    /// <summary>hub/models--org--name/snapshots/COMMIT is three folders down.</summary>
    private const int MaxDepth = 4;

    private const int MaxCheckpoints = 1000;

    public static InspectReport Read(string folder)
    {
        var paths = new List<string>();
        Locate(folder, 0, paths);
        // Nothing: the opener says what it looked for.
        if (paths is [] or [_])
            return new() { Target = folder, Inspections = [CheckpointInspector.Inspect(paths is [var only] && only != folder ? only : folder)] };
        var inspections = ImmutableArray.CreateBuilder<CheckpointInspection>();
        var failures = ImmutableArray.CreateBuilder<InspectFailure>();
        foreach (var path in paths)
        {
            try
            {
                inspections.Add(CheckpointInspector.Inspect(path));
            }
            catch (Exception failure) when (failure is CheckpointFormatException or IOException or UnauthorizedAccessException)
            {
                failures.Add(new(path, failure.Message));
            }
        }
        return new() { Target = folder, Inspections = inspections.ToImmutable(), Failures = failures.ToImmutable() };
    }

    private static void Locate(string folder, int depth, List<string> paths)
    {
        var here = Checkpoint.LocateAll(folder);
        if (here.IsEmpty && File.Exists(Path.Combine(folder, "config.json")))
            here = [folder];
        paths.AddRange(here.Take(MaxCheckpoints - paths.Count));
        // What lies in the folders of a model (another layout, an older step) is part of it.
        if (here.Contains(folder) || depth == MaxDepth)
            return;
        // Links are not followed: they may lead round in a circle.
        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.Hidden | FileAttributes.System | FileAttributes.ReparsePoint, IgnoreInaccessible = depth > 0 };
        foreach (var inside in Directory.EnumerateDirectories(folder, "*", options).Order(StringComparer.Ordinal))
            Locate(inside, depth + 1, paths);
    }
}
