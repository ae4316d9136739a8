using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using static Plimsoll.Kernels.Benchmarks.Ggml;

namespace Plimsoll.Kernels.Benchmarks;

/// <summary>Products of several matrices with the same inputs by ggml's CPU backend, in the layout that llama.cpp would load the weights into.</summary>
internal sealed unsafe class GgmlProducts : IDisposable
{
    /// <summary>Types that <c>ggml_repack_get_optimal_repack_type</c> takes on AVX-512; the others stay as the file holds them.</summary>
    private static readonly string[] Repacked = ["Q4_0", "Q4_K", "Q2_K", "IQ4_NL", "MXFP4"];

    private readonly nint backend;
    private readonly nint graph;
    private readonly List<nint> contexts = [];
    private readonly List<nint> buffers = [];
    private readonly nint last;

    public GgmlProducts(NumberFormat format, Workload workload, int threads)
    {
        var device = ggml_backend_dev_by_type(CpuDevice);
        var registry = ggml_backend_dev_backend_reg(device);
        backend = ggml_backend_dev_init(device, null);
        ((delegate* unmanaged<nint, int, void>)ggml_backend_reg_get_proc_address(registry, "ggml_backend_set_n_threads"))(backend, threads);
        var plain = ggml_backend_dev_buffer_type(device);
        var copies = workload.Copies;

        var weightContext = Context(copies);
        var weights = new nint[copies];
        for (var i = 0; i < copies; i++)
            weights[i] = ggml_new_tensor_2d(weightContext, format.GgmlType ?? Float32, workload.Columns, workload.Rows);
        buffers.Add(ggml_backend_alloc_ctx_tensors_from_buft(weightContext, Repacked.Contains(format.Name) ? RepackType(device, registry) ?? plain : plain));
        fixed (byte* bytes = workload.Weights)
        {
            foreach (var tensor in weights)
                ggml_backend_tensor_set(tensor, bytes, 0, (nuint)workload.Weights.Length);
        }

        var context = Context(copies + 1);
        var inputs = ggml_new_tensor_2d(context, Float32, workload.Columns, workload.Count);
        graph = ggml_new_graph_custom(context, (nuint)copies + 8, 0);
        foreach (var tensor in weights)
        {
            last = ggml_mul_mat(context, tensor, inputs);
            ggml_set_output(last);
            ggml_build_forward_expand(graph, last);
        }
        buffers.Add(ggml_backend_alloc_ctx_tensors_from_buft(context, plain));
        fixed (float* values = workload.Inputs)
            ggml_backend_tensor_set(inputs, values, 0, (nuint)workload.Inputs.Length * sizeof(float));
    }

    public void Run()
    {
        if (ggml_backend_graph_compute(backend, graph) != 0)
            throw new InvalidOperationException("ggml could not compute the graph");
    }

    /// <summary>The first outputs of the last product.</summary>
    public void Read(Span<float> outputs)
    {
        fixed (float* values = outputs)
            ggml_backend_tensor_get(last, values, 0, (nuint)outputs.Length * sizeof(float));
    }

    public void Dispose()
    {
        buffers.ForEach(ggml_backend_buffer_free);
        contexts.ForEach(ggml_free);
        ggml_backend_free(backend);
    }

    private static nint? RepackType(nint device, nint registry)
    {
        var types = ((delegate* unmanaged<nint, nint*>)ggml_backend_reg_get_proc_address(registry, "ggml_backend_dev_get_extra_bufts"))(device);
        for (; types is not null && *types != 0; types++)
        {
            if (Marshal.PtrToStringUTF8(ggml_backend_buft_name(*types)) == "CPU_REPACK")
                return *types;
        }
        return null;
    }

    private nint Context(int tensors)
    {
        var context = ggml_init(new InitParams { MemorySize = (nuint)(1 << 20) + (nuint)tensors * 4096, NoAlloc = 1 });
        contexts.Add(context);
        return context;
    }
}
