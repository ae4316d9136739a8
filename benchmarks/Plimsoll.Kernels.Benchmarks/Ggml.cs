using System.Runtime.InteropServices;

namespace Plimsoll.Kernels.Benchmarks;

/// <summary>The functions of ggml that a graph of matrix products needs, as llama.cpp v0.5.0 exports them.</summary>
internal static unsafe partial class Ggml
{
    public const int CpuDevice = 0;
    public const int Float32 = 0;

    private static bool loaded;

    /// <summary>struct ggml_init_params.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct InitParams
    {
        public nuint MemorySize;
        public void* Memory;
        public byte NoAlloc;
    }

    /// <summary>Loads the libraries of a folder; ggml picks the CPU backend that suits the processor.</summary>
    public static void Load(string folder)
    {
        if (loaded)
            return;
        loaded = true;
        NativeLibrary.SetDllImportResolver(typeof(Ggml).Assembly, (name, _, _) => name switch
        {
            "ggml" => NativeLibrary.Load(Path.Combine(folder, "libggml.v0.5.0.so")),
            "ggml-base" => NativeLibrary.Load(Path.Combine(folder, "libggml-base.so")),
            _ => 0,
        });
        ggml_log_set(&Silent, null);
        ggml_backend_load_all_from_path(folder);
    }

    [LibraryImport("ggml-base")]
    public static partial void ggml_log_set(delegate* unmanaged<int, byte*, void*, void> callback, void* data);

    [LibraryImport("ggml", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void ggml_backend_load_all_from_path(string folder);

    [LibraryImport("ggml")]
    public static partial nint ggml_backend_dev_by_type(int type);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_backend_dev_backend_reg(nint device);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_backend_dev_init(nint device, byte* parameters);

    [LibraryImport("ggml-base", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint ggml_backend_reg_get_proc_address(nint registry, string name);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_backend_dev_buffer_type(nint device);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_backend_buft_name(nint type);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_backend_alloc_ctx_tensors_from_buft(nint context, nint type);

    [LibraryImport("ggml-base")]
    public static partial void ggml_backend_buffer_free(nint buffer);

    [LibraryImport("ggml-base")]
    public static partial void ggml_backend_free(nint backend);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_init(InitParams parameters);

    [LibraryImport("ggml-base")]
    public static partial void ggml_free(nint context);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_new_tensor_2d(nint context, int type, long columns, long rows);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_mul_mat(nint context, nint weights, nint inputs);

    [LibraryImport("ggml-base")]
    public static partial void ggml_set_output(nint tensor);

    [LibraryImport("ggml-base")]
    public static partial nint ggml_new_graph_custom(nint context, nuint size, byte gradients);

    [LibraryImport("ggml-base")]
    public static partial void ggml_build_forward_expand(nint graph, nint tensor);

    [LibraryImport("ggml-base")]
    public static partial void ggml_backend_tensor_set(nint tensor, void* data, nuint offset, nuint size);

    [LibraryImport("ggml-base")]
    public static partial void ggml_backend_tensor_get(nint tensor, void* data, nuint offset, nuint size);

    [LibraryImport("ggml-base")]
    public static partial int ggml_backend_graph_compute(nint backend, nint graph);

    [UnmanagedCallersOnly]
    private static void Silent(int level, byte* text, void* data)
    {
    }
}
