using System.Numerics;
using System.Text;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.Pickle;
using Plimsoll.Checkpoints.PyTorch;
using Plimsoll.Checkpoints.Tests.Builders;

namespace Plimsoll.Checkpoints.Tests.Pickle;

public class PickleTests
{
    /// <summary>Each text is what CPython's pickle.dumps wrote for the value, as hexadecimal bytes.</summary>
    [Theory]
    [InlineData("4e2e", "None")]
    [InlineData("4930310a2e", "True")]
    [InlineData("492d370a2e", "-7")]
    [InlineData("4c31323334353637383930313233343536373839304c0a2e", "12345678901234567890")]
    [InlineData("46302e310a2e", "0.1")]
    [InlineData("5661ac5c75303035630a70300a2e", "'a\u00ac\\'")]
    [InlineData("80024a000000802e", "-2147483648")]
    [InlineData("80028a090000000000000080002e", "9223372036854775808")]
    [InlineData("80024affffffff2e", "-1")]
    [InlineData("80024740090000000000002e", "3.125")]
    [InlineData("80049506000000000000008c02c3a9942e", "'é'")]
    [InlineData("80049504000000000000004300942e", "0 bytes")]
    public void Scalars_of_every_protocol_are_read(string hex, string expected) => Assert.Equal(expected, Read(Convert.FromHexString(hex)).ToString());

    [Fact]
    public void Containers_are_built_and_shared_objects_stay_shared()
    {
        // pickle.dumps((s, [1, s], {'k': s}, {2})) with s = [True], protocol 4
        var value = Read(Convert.FromHexString("8004951f00000000000000285d9488615d94284b016800657d948c016b946800738f94284b029074942e"));

        Assert.Equal(PickleKind.Tuple, value.Kind);
        var items = value.Items!;
        Assert.Equal(["a list of 1", "a list of 2", "a dictionary of 1", "a set of 1"], items.Select(item => item.ToString()));
        Assert.Same(items[0].Identity, items[1].Items![1].Identity);
        Assert.Same(items[0].Identity, items[2].Dictionary!["k"].Identity);
        Assert.True(items[0].Items![0].Boolean);
        Assert.True(items[2].Dictionary!["absent"].IsNone);
    }

    [Fact]
    public void A_list_may_contain_itself()
    {
        // l = []; l.append(l)
        var value = Read(Convert.FromHexString("80025d71006800612e"));

        Assert.Same(value.Identity, value.Items![0].Identity);
    }

    [Theory]
    [InlineData("cos\nsystem\n(S'true'\ntR.", "os.system")]
    [InlineData("cposix\nsystem\n(S'true'\ntR.", "posix.system")]
    [InlineData("(S'true'\nios\nsystem\n.", "os.system")]
    [InlineData("(cos\nsystem\nS'true'\no.", "os.system")]
    [InlineData("cbuiltins\neval\n.", "builtins.eval")]
    [InlineData("cargparse\nNamespace\n)R.", "argparse.Namespace")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "torch._utils._rebuild_tensor_v2.__globals__")]
    public void A_name_outside_the_list_is_refused_by_name(string pickle, string name)
    {
        var failure = Assert.Throws<CheckpointFormatException>(() => Read(Encoding.ASCII.GetBytes(pickle), PyTorchGlobals.Allowed));

        Assert.Equal(name, failure.Found);
        Assert.Contains("a name that rebuilds tensors; convert the file to safetensors", failure.Message);
    }

    [Fact]
    public void Names_are_refused_however_they_are_spelled()
    {
        // protocol 4: two strings and STACK_GLOBAL; the strings may come from the memo
        var failure = Assert.Throws<CheckpointFormatException>(() => Read([0x80, 4, 0x8c, 2, (byte)'o', (byte)'s', 0x94, 0x8c, 6, .. "system"u8, 0x93, (byte)'.'], PyTorchGlobals.Allowed));
        Assert.Equal("os.system", failure.Found);

        failure = Assert.Throws<CheckpointFormatException>(() => Read([0x80, 2, 0x82, 1, (byte)'.'], PyTorchGlobals.Allowed));
        Assert.Contains("an extension code", failure.Found);
    }

    [Fact]
    public void An_allowed_name_only_becomes_the_description_of_a_call()
    {
        var value = Read("cbuiltins\nset\n((lp0\nI1\natRp1\n(dp2\nb."u8.ToArray(), PyTorchGlobals.Allowed);

        Assert.Equal("builtins.set", value.Call!.Callable.ToString());
        Assert.Equal(1, value.Call.Arguments.Items![0].Items![0].Integer);
        Assert.Equal(PickleKind.Dictionary, value.Call.State.Kind);
    }

    [Theory]
    [InlineData("ccollections\nOrderedDict\n)R(S'a'\nI1\nu.")]
    [InlineData("ccollections\nOrderedDict\n((lp0\n(S'a'\nI1\ntatR.")]
    public void An_ordered_dictionary_is_a_dictionary(string pickle) =>
        Assert.Equal(1, Read(Encoding.ASCII.GetBytes(pickle), PyTorchGlobals.Allowed).Dictionary!["a"].Integer);

    [Theory]
    [InlineData("", "pickle opcode of 1 bytes, found 0 bytes left")]
    [InlineData("N", "pickle opcode of 1 bytes")]
    [InlineData(".", "a value on the stack")]
    [InlineData("(.", "a value on the stack")]
    [InlineData("t.", "a mark on the stack")]
    [InlineData("Na.", "a value on the stack")]
    [InlineData("NNa.", "a list to add items to, found None")]
    [InlineData("}Ns.", "a value on the stack")]
    [InlineData("}(Nu.", "a value for every key, found 1 items")]
    [InlineData("NNb.", "an object to attach state to")]
    [InlineData("h\u0001.", "a memo index that was stored before, found 1")]
    [InlineData("I12a\n.", "a decimal integer")]
    [InlineData("I12", "text that ends in a line feed")]
    [InlineData("S'a\n.", "a quoted string")]
    [InlineData("X\u00ff\u00ff\u00ff\u007f", "a string of at most 67,108,864 bytes")]
    [InlineData("X\u00ff\u0000\u0000\u0000", "string of 255 bytes, found 0 bytes left")]
    [InlineData("\u008b\u00ff\u00ff\u00ff\u007f", "an integer of at most 64 bytes")]
    [InlineData("\u008e\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "a string of at most")]
    [InlineData("\u0080\u0006N.", "a pickle protocol from 0 to 5, found 6")]
    [InlineData("\u0097.", "a pickle that is complete in itself")]
    [InlineData("Z", "a pickle opcode of protocols 0 to 5, found the byte 0x5A")]
    [InlineData("NNR.", "a global and a tuple of arguments")]
    public void What_is_no_pickle_is_refused(string pickle, string expected) =>
        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => Read(Encoding.Latin1.GetBytes(pickle))).Message);

    [Fact]
    public void Depth_size_and_digits_are_limited()
    {
        Refuses([.. Enumerable.Repeat((byte)'(', 1001), (byte)'.'], "values nested at most 1,000 deep");
        Refuses([(byte)'I', .. Enumerable.Repeat((byte)'9', 200), (byte)'\n', (byte)'.'], "a decimal integer");
        Refuses([.. Enumerable.Repeat((byte)']', 100), (byte)'.'], "a pickle of at most 50 values", PickleLimits.Checkpoint with { MaxValues = 50 });
        Refuses([(byte)'N', .. Enumerable.Repeat((byte)0x94, 100), (byte)'.'], "a pickle of at most 50 values", PickleLimits.Checkpoint with { MaxValues = 50 });
    }

    [Fact]
    public void A_tower_of_lists_costs_no_stack()
    {
        // ]]]…]aaa…a: each list goes into the one below it.
        const int height = 200_000;
        var value = Read([.. Enumerable.Repeat((byte)']', height), .. Enumerable.Repeat((byte)'a', height - 1), (byte)'.']);

        var depth = 0;
        for (; value.Items is [var inner, ..]; value = inner)
            depth++;
        Assert.Equal(height - 1, depth);
    }

    [Fact]
    public void A_memo_index_far_ahead_costs_no_memory() =>
        Assert.True(Mutations.Accepts([(byte)'N', (byte)'r', 0xFF, 0xFF, 0xFF, 0xFF, (byte)'j', 0xFF, 0xFF, 0xFF, 0xFF, (byte)'.'], source => Read(source)));

    /// <summary>Counts of segments, blocks, bytes and trace events by CPython 3.11: <c>pickle.load</c>, then len and sum.</summary>
    [Theory]
    [InlineData("SYNTHETIC_9byte_long.pickle", 1, 3, 2097152, 4)]
    [InlineData("SYNTHETIC_legacy_history.pickle", 1, 2, 20971520, 0)]
    [InlineData("SYNTHETIC_list_toplevel.pickle", 1, 3, 2097152, 0)]
    [InlineData("SYNTHETIC_proto0.pickle", 1, 3, 2097152, 4)]
    [InlineData("SYNTHETIC_proto1.pickle", 1, 3, 2097152, 4)]
    [InlineData("SYNTHETIC_proto2.pickle", 1, 3, 2097152, 4)]
    [InlineData("SYNTHETIC_proto3.pickle", 1, 3, 2097152, 4)]
    [InlineData("SYNTHETIC_proto4.pickle", 1, 3, 2097152, 4)]
    [InlineData("SYNTHETIC_proto5.pickle", 1, 3, 2097152, 4)]
    [InlineData("bcrafton_cs336_1.27M.pickle", 96, 550, 4238344192, 6486)]
    [InlineData("constructor_sun_2.6M.pickle", 12, 790, 114628231168, 7923)]
    [InlineData("docubox_dump.pickle", 12, 116, 109051904, 0)]
    [InlineData("layoutediting_114k.pickle", 368, 2530, 5475663872, 0)]
    [InlineData("layoutediting_memsnap_130k.pkl", 255, 2140, 3649044480, 0)]
    [InlineData("magma27_cs336_torch2.11.pickle", 216, 455, 14180941824, 5163)]
    [InlineData("mosaic_output.pickle", 5, 17, 262144000, 1040)]
    [InlineData("silmont2000_forward_bf16_128.pickle", 43, 178, 861929472, 2811)]
    [InlineData("silmont2000_forward_fp32_128.pickle", 29, 164, 610271232, 2043)]
    [InlineData("silmont2000_mem_snapshot.pickle", 9, 20, 3781165056, 97)]
    [InlineData("thesis_t2sql_1243.pickle", 3, 10, 85983232, 0)]
    public void Memory_snapshots_hold_what_Python_finds_in_them(string file, int segments, int blocks, long bytes, int events)
    {
        var root = PickleReader.ReadFile(SharedData.Require($"snapshots/{file}"), PickleGlobals.None, PickleLimits.Snapshot);

        var segmentList = root.Items ?? root.Dictionary!["segments"].Items!;
        Assert.Equal(segments, segmentList.Count);
        Assert.Equal(blocks, segmentList.Sum(segment => segment.Dictionary!["blocks"].Items!.Count));
        Assert.Equal(bytes, segmentList.Sum(segment => segment.Dictionary!["total_size"].Integer!.Value));
        Assert.Equal(events, root.Dictionary?["device_traces"].Items?.Sum(trace => trace.Items!.Count) ?? 0);
    }

    [Fact]
    public void Every_protocol_gives_the_same_snapshot()
    {
        var texts = Enumerable.Range(0, 6).Select(protocol =>
            Dump(PickleReader.ReadFile(SharedData.Require($"snapshots/SYNTHETIC_proto{protocol}.pickle"), PickleGlobals.None, PickleLimits.Snapshot))).ToList();

        Assert.True(texts[0].Length > 500);
        Assert.All(texts, text => Assert.Equal(texts[4], text));
    }

    [Fact]
    public void Addresses_beyond_63_bits_are_kept()
    {
        var root = PickleReader.ReadFile(SharedData.Require("snapshots/SYNTHETIC_9byte_long.pickle"), PickleGlobals.None, PickleLimits.Snapshot);

        Assert.Equal(BigInteger.Parse("18446602236709568512"), root.Dictionary!["segments"].Items![0].Dictionary!["address"].BigInteger);
    }

    [Fact]
    public void Hostile_snapshots_are_refused_or_cost_nothing()
    {
        var failure = Assert.Throws<CheckpointFormatException>(() =>
            PickleReader.ReadFile(SharedData.Require("snapshots/SYNTHETIC_HOSTILE_global_reduce.pickle"), PickleGlobals.None, PickleLimits.Snapshot));
        Assert.Equal(("posix.system", 2L), (failure.Found, failure.Offset));

        // Lists that share lists: 2^n items when walked without care, a few dozen objects here.
        Assert.Equal(PickleKind.List, PickleReader.ReadFile(SharedData.Require("snapshots/SYNTHETIC_HOSTILE_memo_bomb.pickle"), PickleGlobals.None, PickleLimits.Snapshot).Kind);
    }

    [Fact]
    public void Any_cut_or_changed_byte_gives_a_result_or_the_format_exception()
    {
        byte[] file =
        [
            0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, (byte)'}', 0x94, (byte)'(', 0x8c, 1, (byte)'a', 0x94, (byte)'K', 7, 0x8c, 1, (byte)'b', (byte)'G', 0, 0, 0, 0, 0, 0, 0, 0,
            (byte)'u', (byte)'X', 2, 0, 0, 0, (byte)'x', (byte)'y', 0x8a, 2, 1, 1, 0x86, (byte)'I', (byte)'1', (byte)'2', (byte)'\n', (byte)'h', 1, 0x87,
            .. "ctorch\nSize\nJ"u8, 1, 2, 3, 4, 0x85, (byte)'R', 0x86, (byte)'.',
        ];

        Mutations.Check(file, file.Length, source => PickleReader.Read(new ByteCursor(source), PyTorchGlobals.Allowed, PickleLimits.Checkpoint));
    }

    private static string Dump(PickleValue value)
    {
        if (value.Dictionary is { } dictionary)
            return $"{{{string.Join(",", dictionary.Entries.Select(entry => $"{Dump(entry.Key)}:{Dump(entry.Value)}"))}}}";
        return value.Items is { } items ? $"{value.Kind}({string.Join(",", items.Select(Dump))})" : value.ToString();
    }

    private static void Refuses(byte[] pickle, string expected, PickleLimits? limits = null) =>
        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => PickleReader.Read("x", pickle, PickleGlobals.None, limits ?? PickleLimits.Checkpoint)).Message);

    private static PickleValue Read(byte[] pickle, PickleGlobals? globals = null) =>
        PickleReader.Read("x", pickle, globals ?? PickleGlobals.None, PickleLimits.Checkpoint);

    private static PickleValue Read(ByteSource source) => PickleReader.Read(new ByteCursor(source), PickleGlobals.None, PickleLimits.Checkpoint);
}
