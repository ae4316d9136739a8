namespace Plimsoll.Diagnostics.Tests.OutOfMemory;

/// <summary>Messages in the wording of each program, with numbers of our own.</summary>
internal static class Messages
{
    public const string Torch1 = "RuntimeError: CUDA out of memory. Tried to allocate 1.50 GiB (GPU 1; 24.00 GiB total capacity; 20.00 GiB already allocated; 1.00 GiB free; 22.00 GiB reserved in total by PyTorch) If reserved memory is >> allocated memory try setting max_split_size_mb to avoid fragmentation.";

    public const string TorchCached = "RuntimeError: CUDA out of memory. Tried to allocate 160.00 MiB (GPU 0; 4.00 GiB total capacity; 3.00 GiB already allocated; 55.00 MiB free; 10.00 MiB cached)";

    public const string Torch2 = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has a total capacity of 24.00 GiB of which 500.00 MiB is free. Process 4711 has 256.00 MiB memory in use. Including non-PyTorch memory, this process has 23.00 GiB memory in use. Of the allocated memory 21.00 GiB is allocated by PyTorch, with 512.00 MiB allocated in private pools (e.g., CUDA Graphs), and 1.00 GiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation.";

    public const string Capped = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 80.00 GiB of which 60.00 GiB is free. Including non-PyTorch memory, this process has 20.00 GiB memory in use. 20.00 GiB allowed; Of the allocated memory 18.50 GiB is allocated by PyTorch, and 500.00 MiB is reserved by PyTorch but unallocated.";

    public const string InContainer = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 256.00 MiB. GPU 0 has a total capacity of 48.00 GiB of which 16.00 MiB is free. Process 365 has 47.50 GiB memory in use. Of the allocated memory 47.00 GiB is allocated by PyTorch, and 50.00 MiB is reserved by PyTorch but unallocated.";

    public const string Crowded = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 200.00 MiB. GPU 0 has a total capacity of 80.00 GiB of which 100.00 MiB is free. Process 99 has 70.00 GiB memory in use. Including non-PyTorch memory, this process has 9.80 GiB memory in use. Of the allocated memory 9.00 GiB is allocated by PyTorch, and 40.00 MiB is reserved by PyTorch but unallocated.";

    public const string Windows = "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 320.00 MiB. GPU 0 has a total capacty of 6.00 GiB of which 0 bytes is free. Including non-PyTorch memory, this process has 17179869184.00 GiB memory in use. Of the allocated memory 5.00 GiB is allocated by PyTorch, and 272.00 MiB is reserved by PyTorch but unallocated.";

    public const string Paged = "CUDA out of memory. Tried to allocate 64.00 MiB. GPU 0 has a total capacity of 8.00 GiB of which 0 bytes is free. Of the allocated memory 22.00 GiB is allocated by PyTorch, and 3.00 MiB is reserved by PyTorch but unallocated.";

    public const string Mps = "RuntimeError: MPS backend out of memory (MPS allocated: 14.00 GiB, other allocations: 4.00 GiB, max allowed: 20.00 GiB). Tried to allocate 3.00 GiB on shared pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit for memory allocations (may cause system failure).";

    public const string VllmCache = "ValueError: To serve at least one request with the models's max seq len (131072), (16.0 GiB KV cache is needed, which is larger than the available KV cache memory (8.0 GiB). Based on the available memory, the estimated maximum model length is 65536. Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.";

    public const string VllmStart = "(EngineCore_DP0 pid=17) ERROR 09-28 15:47:24 [core.py:718] ValueError: Free memory on device cuda:0 (50.0/80.0 GiB) on startup is less than desired GPU memory utilization (0.9, 72.0 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.";

    public const string LlamaCpp = """
        0.05.982.175 E ggml_backend_cuda_buffer_type_alloc_buffer: allocating 5000.00 MiB on device 1: cudaMalloc failed: out of memory
        0.05.982.180 E alloc_tensor_range: failed to allocate CUDA1 buffer of size 5242880000
        0.06.650.537 E llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache
        """;

    public const string Tensor = "(0) Resource exhausted: OOM when allocating tensor with shape[4,2048,128,128] and type half on /job:localhost/replica:0/task:0/device:GPU:2 by allocator GPU_2_bfc";
}
