using static Plimsoll.Testing.Builders.SnapshotPickle;

namespace Plimsoll.Diagnostics.Tests.Snapshots;

/// <summary>Snapshots small enough to check by hand.</summary>
internal static class Samples
{
    public const long MiB = 1L << 20;
    private const long Base = 0x7f00_0000_0000;

    /// <summary>24 MiB were live when 8 MiB more were refused with 3 MiB free; at the end only 4 MiB are.</summary>
    public static byte[] OutOfMemory => Of(Snapshot(
        [Segment(Base, Block(Base, 4 * MiB, 4 * MiB - 100, "active_allocated", Loader), Block(Base + 4 * MiB, 20 * MiB, 0, "inactive"))],
        [
            Event("alloc", Base + 4 * MiB, 12 * MiB, 1, Relu, Model), Event("alloc", Base + 16 * MiB, 8 * MiB, 2, Relu, Model),
            Event("oom", 3 * MiB, 8 * MiB, 3, Relu, Model),
            Event("free_completed", Base + 4 * MiB, 12 * MiB, 4, Frame("handler", "/app/train.py", 99)), Event("free_completed", Base + 16 * MiB, 8 * MiB, 5),
        ]));

    /// <summary>Five steps, each of which keeps 1 MiB of <c>train.py:12</c> and frees 2 MiB of the model.</summary>
    public static byte[] Leaking => Steps(keeps: step => true);

    /// <summary>The same, but only the first step keeps anything, as an optimizer's states do.</summary>
    public static byte[] WarmingUp => Steps(keeps: step => step == 0);

    private static object Relu => Frame("relu", "/usr/lib/python3.11/site-packages/torch/nn/functional.py", 1701);

    private static object Model => Frame("forward", "/app/model.py", 42);

    private static object Loader => Frame("load_state_dict", "/app/load.py", 7);

    private static byte[] Steps(Func<int, bool> keeps)
    {
        var (events, marks, blocks) = (new List<object>(), new List<object>(), new List<Dictionary<string, object>>());
        for (var step = 0; step < 5; step++)
        {
            var (kept, temporary, time) = (Base + step * MiB, Base + 64 * MiB, step * 100L);
            events.Add(Event("alloc", kept, MiB, time + 10, Frame("step", "/app/train.py", 12)));
            events.Add(Event("alloc", temporary, 2 * MiB, time + 20, Relu, Model));
            events.Add(Event("free_completed", temporary, 2 * MiB, time + 30));
            if (!keeps(step))
                events.Add(Event("free_completed", kept, MiB, time + 40));
            blocks.Add(keeps(step) ? Block(kept, MiB, MiB, "active_allocated") : Block(kept, MiB, 0, "inactive"));
            marks.Add(new Dictionary<string, object> { ["stage"] = "END", ["name"] = "Optimizer.step#SGD.step", ["device"] = 0, ["time_us"] = time + 50 });
        }
        return Of(Snapshot([Segment(Base, [.. blocks])], [.. events], [.. marks]));
    }
}
