using Plimsoll.Diagnostics.OutOfMemory;

namespace Plimsoll.Diagnostics.Tests.OutOfMemory;

/// <summary>The wording of every program, with numbers of our own, and what it must be read as.</summary>
internal static class Wordings
{
    private const long KiB = 1L << 10, MiB = 1L << 20, GiB = 1L << 30;

    /// <param name="Text">Lines of a log.</param>
    /// <param name="Check">The first finding.</param>
    /// <param name="Requested">Bytes; null where the text does not tell.</param>
    public sealed record Wording(string Text, string Program, MemoryKind Kind, string Check, long? Requested = null, long? Free = null, string? Backend = null);

    public static IEnumerable<Wording> All => [.. Devices, .. Frameworks, .. Servers, .. Hosts, .. LookAlikes];

    private static IEnumerable<Wording> Devices =>
    [
        new("torch.OutOfMemoryError: XPU out of memory. Tried to allocate 3.00 GiB. GPU 0 has a total capacity of 15.50 GiB. Of the allocated memory 13.00 GiB is allocated by PyTorch, and 100.00 MiB is reserved by PyTorch but unallocated. Please use `empty_cache` to release all unoccupied cached memory.", "PyTorch", MemoryKind.Device, "needs-more-memory", 3 * GiB, null, "XPU"),
        new("RuntimeError: MLU out of memory. Tried to allocate 2.00 GiB (MLU 1; 23.00 GiB total capacity; 20.00 GiB already allocated; 1.00 GiB free; 21.00 GiB reserved in total by PyTorch)", "PyTorch", MemoryKind.Device, "needs-more-memory", 2 * GiB, GiB, "MLU"),
        new("RuntimeError: CUDA out of memory.", "PyTorch", MemoryKind.Device, "no-numbers", null, null, "CUDA"),
        new("torch.AcceleratorError: CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call", "CUDA", MemoryKind.Device, "no-numbers", null, null, "CUDA"),
        new("THCudaCheck FAIL file=/pytorch/aten/src/THC/THCStorage.cu line=41 error=2 : out of memory", "CUDA", MemoryKind.Device, "no-numbers", null, null, "CUDA"),
        new("CUDA Error: out of memory\ndarknet: ./src/cuda.c:36: check_error: Assertion `0' failed.", "CUDA", MemoryKind.Device, "no-numbers"),
        new("F0308 11:22:33.444555 77 syncedmem.cpp:71] Check failed: error == cudaSuccess (2 vs. 0)  out of memory", "CUDA", MemoryKind.Device, "no-numbers"),
        new("numba.cuda.cudadrv.driver.CudaAPIError: [2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY", "CUDA", MemoryKind.Device, "no-numbers"),
        new("thread 'main' panicked: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")", "CUDA", MemoryKind.Device, "no-numbers"),
        new("terminate called after throwing an instance of 'thrust::system::detail::bad_alloc'\n  what():  std::bad_alloc: cudaErrorMemoryAllocation: out of memory", "CUDA", MemoryKind.Device, "no-numbers"),
        new("RuntimeError: HIP error: out of memory", "ROCm", MemoryKind.Device, "no-numbers", null, null, "HIP"),
        new("KSampler: Allocation on device 0 would exceed allowed memory. (out of memory)", "PyTorch", MemoryKind.Device, "no-numbers", null, null, "CUDA"),
        new("Memory critical error by agent node-1\nHSA_STATUS_ERROR_OUT_OF_RESOURCES: The runtime failed to allocate the necessary resources.", "ROCm", MemoryKind.Device, "no-numbers", null, null, "HIP"),
        new("RuntimeError: Native API failed. Native API returns: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)", "Level Zero", MemoryKind.Device, "no-numbers", null, null, "XPU"),
        new("clEnqueueNDRangeKernel, error code: -4 CL_MEM_OBJECT_ALLOCATION_FAILURE", "OpenCL", MemoryKind.Device, "no-numbers", null, null, "OpenCL"),
        new("RuntimeError: CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`", "cuBLAS", MemoryKind.Device, "library-alloc-failed"),
        new("RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "cuDNN", MemoryKind.Device, "library-alloc-failed"),
        new("E tensorflow/stream_executor/cuda/cuda_dnn.cc:329] Could not create cudnn handle: CUDNN_STATUS_INTERNAL_ERROR", "cuDNN", MemoryKind.Device, "library-alloc-failed"),
        new("RuntimeError: cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`", "cuSOLVER", MemoryKind.Device, "library-alloc-failed"),
        new("RuntimeError: CUDA error: HIPBLAS_STATUS_ALLOC_FAILED when calling `hipblasCreate(handle)`", "hipBLAS", MemoryKind.Device, "library-alloc-failed", null, null, "HIP"),
        new("node7:31:99 [3] NCCL WARN Cuda failure 2 'out of memory'\ntorch.distributed.DistBackendError: ncclUnhandledCudaError: Call to CUDA function failed. Last error: Cuda failure 2 'out of memory'", "NCCL", MemoryKind.Device, "nccl"),
        new("RuntimeError: [Rank:3] FATAL ERROR :: MODULE:PT_DEVMEM Allocation failed for size::1073741824 (1024)MB", "PyTorch", MemoryKind.Device, "no-numbers", GiB, null, "HPU"),
        new("EL0004: [PID: 12] 2026-01-02-03:04:05.678.901 Failed to allocate memory.\n        Possible Cause: Available memory is insufficient.", "CANN", MemoryKind.Device, "no-numbers", null, null, "NPU"),
        new("        Call rtMalloc fail, purpose: page caching, type = 2, size:2147483648, device_id:5[FUNC:Alloc]", "CANN", MemoryKind.Device, "no-numbers", 2 * GiB, null, "NPU"),
        new("RuntimeError: MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 512.00 KB, max allowed: 9.00 GB). Tried to allocate 2.00 GB on private pool.", "PyTorch", MemoryKind.Device, "memory-cap", 2 * GiB, null, "MPS"),
        new("RuntimeError: MPS backend out of memory (MPS allocated: 17.00 GiB, max allowed: 20.00 GiB). Tried to allocate 4.00 GiB on shared pool.", "PyTorch", MemoryKind.Device, "memory-cap", 4 * GiB, null, "MPS"),
        new("{\"log\":\"torch.OutOfMemoryError: CUDA out of memory.\\nTried to allocate 2.00 GiB.\\nGPU 0 has a total capacity of 24.00 GiB of which 1.00 GiB is free.\",\"stream\":\"stderr\"}", "PyTorch", MemoryKind.Device, "needs-more-memory", 2 * GiB, GiB, "CUDA"),
        new("RuntimeError: Invalid buffer size: 60.50 GiB", "PyTorch", MemoryKind.Device, "single-allocation-limit", 121 * GiB / 2, null, "MPS"),
        new("failed assertion `[MPSNDArray initWithDevice:descriptor:] Error: total bytes of NDArray > 2**32'", "PyTorch", MemoryKind.Device, "single-allocation-limit", null, null, "MPS"),
        new("Error: command buffer exited with error status.\n\tInsufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)", "Metal", MemoryKind.Device, "no-numbers", null, null, "Metal"),
        new("RuntimeError: Could not allocate tensor with 268435456 bytes. There is not enough GPU video memory available!", "DirectML", MemoryKind.Device, "allocation-failed", 256 * MiB),
        new("[GPU] Exceeded max size of memory object allocation: requested 8589934592 bytes, but max alloc size supported by device is 4294959104 bytes.", "OpenVINO", MemoryKind.Device, "single-allocation-limit", 8 * GiB),
    ];

    private static IEnumerable<Wording> Frameworks =>
    [
        new("W tensorflow/core/common_runtime/bfc_allocator.cc:479] Allocator (GPU_1_bfc) ran out of memory trying to allocate 3.00GiB (rounded to 3221225472)requested by op model/dense/MatMul", "TensorFlow", MemoryKind.Device, "allocation-failed", 3 * GiB),
        new("ResourceExhaustedError: OOM when allocating tensor with shape[64,56,56,256] and type float on /job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu", "TensorFlow", MemoryKind.Host, "allocation-failed", 64L * 56 * 56 * 256 * 4),
        new("tensorflow.python.framework.errors_impl.InternalError: Dst tensor is not initialized.", "TensorFlow", MemoryKind.Device, "allocation-failed"),
        new("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 17179869184 bytes.", "JAX", MemoryKind.Device, "allocation-failed", 16 * GiB),
        new("jax.errors.JaxRuntimeError: RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm. Used 20.00G of 16.00G hbm. Exceeded hbm capacity by 4.00G.", "JAX", MemoryKind.Device, "program-above-device", null, null, "TPU"),
        new("RESOURCE_EXHAUSTED: Error loading program 'jit_step': Attempting to reserve 8.00G at the bottom of memory. That was not possible. There are 6.50G free, 0B reserved, and 6.50G reservable.", "JAX", MemoryKind.Device, "allocation-failed", 8 * GiB, 13 * GiB / 2, "TPU"),
        new("onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, Stream*) Available memory of 1048576 is smaller than requested bytes of 4194304", "ONNX Runtime", MemoryKind.Device, "allocation-failed", 4 * MiB, MiB),
        new("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of size 1073741824", "ONNX Runtime", MemoryKind.Device, "allocation-failed", GiB),
        new("ResourceExhaustedError: \n\nOut of memory error on GPU 2. Cannot allocate 512.000000MB memory on GPU 2, 23.500000GB memory has been allocated and available memory is only 128.000000MB.\n\nPlease check whether there is any other process using GPU 2.", "PaddlePaddle", MemoryKind.Device, "allocation-failed", 512 * MiB, 128 * MiB),
        new("Out of memory error on GPU 0. Cannot allocate 39.000000kB memory on GPU 0, available memory is only 0.000000B.", "PaddlePaddle", MemoryKind.Device, "allocation-failed", 39 * KiB, 0),
        new("mxnet.base.MXNetError: [01:02:03] src/storage/./pooled_storage_manager.h:161: cudaMalloc retry failed: out of memory", "MXNet", MemoryKind.Device, "allocation-failed"),
        new("RuntimeError: Device(id:3) memory isn't enough and alloc failed, kernel name: Default/network/Add-op7, alloc size: 1073741824B.", "MindSpore", MemoryKind.Device, "allocation-failed", GiB),
        new("xgboost.core.XGBoostError: [10:11:12] /ws/src/common/device_helpers.cuh:431: Memory allocation error on worker 0: bad_alloc: cudaErrorMemoryAllocation: out of memory\n- Free memory: 512MB\n- Requested memory: 2.5GB", "XGBoost", MemoryKind.Device, "allocation-failed", 5 * GiB / 2, 512 * MiB),
        new("MemoryError: std::bad_alloc: out_of_memory: CUDA error (failed to allocate 1073741824 bytes) at: /rmm/mr/device/cuda_memory_resource.hpp:70: cudaErrorMemoryAllocation out of memory", "RAPIDS", MemoryKind.Device, "allocation-failed", GiB),
        new("[E] [defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)\n[W] Requested amount of GPU memory (2147483648 bytes) could not be allocated. There may not be enough free memory for allocation to succeed.\n[E] Error Code 2: OutOfMemory (Requested size was 2147483648 bytes.)", "TensorRT", MemoryKind.Device, "tensorrt", 2 * GiB),
        new("raise RuntimeError(\"No executable batch size found, reached zero.\")\nRuntimeError: No executable batch size found, reached zero.", "accelerate", MemoryKind.Device, "no-batch-fits"),
    ];

    private static IEnumerable<Wording> Servers =>
    [
        new("(EngineCore pid=9) ValueError: Free memory on device (10.0/64.0 GiB) on startup is less than desired GPU memory utilization (0.9, 57.6 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.", "vLLM", MemoryKind.Device, "vllm-startup", null, 10 * GiB),
        new("(EngineCore_DP0 pid=5) ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.", "vLLM", MemoryKind.Device, "vllm-no-cache-blocks"),
        new("ValueError: The model's max seq len (16384) is larger than the maximum number of tokens that can be stored in KV cache (9000).", "vLLM", MemoryKind.Device, "vllm-cache-too-small"),
        new("ValueError: To serve at least one request with the models's max seq len (262144),\n28.00 GiB KV cache is needed, which is larger than the available KV cache memory (14.00 GiB).\nThe estimated maximum model length is 131072.", "vLLM", MemoryKind.Device, "vllm-cache-too-small"),
        new("ValueError: Too large swap space. 32.00 GiB out of the 40.00 GiB total CPU memory is allocated for the swap space.", "vLLM", MemoryKind.Host, "host-memory", 32 * GiB),
        new("RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.", "SGLang", MemoryKind.Device, "sglang-startup"),
        new("Prefill out of memory. Try to lower your batch size.\nTry to allocate 8192 tokens.\nAvailable tokens: 512", "SGLang", MemoryKind.Device, "sglang-tokens"),
        new("[2026-01-02 03:04:05 TP1] Exception: Capture cuda graph failed: CUDA out of memory. Tried to allocate 512.00 MiB. GPU 1 has a total capacity of 80.00 GiB of which 300.00 MiB is free.", "PyTorch", MemoryKind.Device, "near-miss", 512 * MiB, 300 * MiB),
        new("RuntimeError: Not enough memory to handle 8192 prefill tokens. You need to decrease `--max-batch-prefill-tokens`", "TGI", MemoryKind.Device, "tgi-prefill"),
        new("Error: model requires more system memory (40.5 GiB) than is available (30.5 GiB)", "ollama", MemoryKind.Host, "host-memory", 81 * GiB / 2, 61 * GiB / 2),
        new("Error: 500 Internal Server Error: memory layout cannot be allocated with num_gpu = 12", "ollama", MemoryKind.Device, "ollama-layout"),
        new("Model loading aborted due to insufficient system resources. Overloading the system will likely cause it to freeze.", "LM Studio", MemoryKind.Host, "host-memory"),
        new("[TensorRT-LLM][ERROR] CUDA runtime error in ::cudaMallocAsync(ptr, n, mCudaStream->get()): out of memory (/app/cpp/tensorrt_llm/runtime/tllmBuffers.h:98)", "CUDA", MemoryKind.Device, "no-numbers"),
        new("ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9000.00 MiB on device 0: cudaMalloc failed: out of memory\nggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 9437184000\ngraph_reserve: failed to allocate compute buffers", "llama.cpp", MemoryKind.Device, "buffer-too-large", 9000 * MiB, null, "CUDA"),
        new("ggml_backend_cann_buffer_type_alloc_buffer: allocating 512.00 MiB on device 2: aclrtMalloc failed: EL0004", "llama.cpp", MemoryKind.Device, "buffer-too-large", 512 * MiB, null, "CANN"),
        new("ggml_backend_sycl_buffer_type_alloc_buffer: can't allocate 1073741824 Bytes of memory on device\nllama_kv_cache: failed to allocate buffer for kv cache", "llama.cpp", MemoryKind.Device, "buffer-too-large", GiB, null, "SYCL"),
        new("ggml_vulkan: Device memory allocation of size 1073741824 failed.\nggml_vulkan: Requested buffer size exceeds device buffer size limit: ErrorOutOfDeviceMemory\nllama_model_load: error loading model: unable to allocate Vulkan0 buffer", "llama.cpp", MemoryKind.Device, "buffer-too-large", GiB, null, "Vulkan"),
        new("ggml_metal_buffer_type_alloc_buffer: error: failed to allocate buffer, size =  2048.00 MiB\nggml_metal_graph_compute: command buffer 0 failed with status 5\nerror: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)", "llama.cpp", MemoryKind.Device, "buffer-too-large", 2 * GiB, null, "Metal"),
        new("ggml_aligned_malloc: insufficient memory (attempted to allocate 1024.00 MB)\nggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 1073741824", "llama.cpp", MemoryKind.Host, "buffer-too-large", GiB),
        new("ValueError: Insufficient VRAM for model and cache", "CUDA", MemoryKind.Device, "no-numbers"),
    ];

    private static IEnumerable<Wording> Hosts =>
    [
        new("RuntimeError: [enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: not enough memory: you tried to allocate 8589934592 bytes.", "PyTorch", MemoryKind.Host, "host-memory", 8 * GiB),
        new("RuntimeError: $ Torch: not enough memory: you tried to allocate 12GB. Buy new RAM! at TH/THGeneral.c:270", "PyTorch", MemoryKind.Host, "host-memory", 12 * GiB),
        new("RuntimeError: unable to mmap 5368709120 bytes from file </models/x.safetensors>: Cannot allocate memory (12)", "PyTorch", MemoryKind.Host, "host-memory", 5 * GiB),
        new("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 24.0 GiB for an array with shape (100000, 32212) and data type float64", "NumPy", MemoryKind.Host, "host-memory", 24 * GiB),
        new("MemoryError: Unable to allocate array with shape (100000, 1000000) and data type float64", "the program", MemoryKind.Host, "host-memory"),
        new("onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException: bad allocation", "the program", MemoryKind.Host, "host-memory"),
        new("  File \"a.py\", line 3\n    x = [0] * n\nMemoryError\nTraceback follows", "the program", MemoryKind.Host, "host-memory"),
        new("terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc", "the program", MemoryKind.Host, "host-memory"),
        new("memory allocation of 4294967296 bytes failed", "the program", MemoryKind.Host, "host-memory", 4 * GiB),
        new("pyarrow.lib.ArrowMemoryError: malloc of size 2147483648 failed", "the program", MemoryKind.Host, "host-memory", 2 * GiB),
        new("Error: cannot allocate vector of size 1.5 Gb", "the program", MemoryKind.Host, "host-memory", 3 * GiB / 2),
        new("Unhandled exception. System.OutOfMemoryException: Exception of type 'System.OutOfMemoryException' was thrown.", "the program", MemoryKind.Host, "host-memory"),
        new("java.lang.OutOfMemoryError: Java heap space", "Java", MemoryKind.Host, "host-heap"),
        new("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "Node.js", MemoryKind.Host, "host-heap"),
        new("OSError: [WinError 1455] The paging file is too small for this operation to complete. Error loading \"torch\\lib\\cublas64_12.dll\" or one of its dependencies.", "Windows", MemoryKind.Host, "paging-file"),
        new("safetensors_rust.SafetensorError: The paging file is too small for this operation to complete. (os error 1455)", "Windows", MemoryKind.Host, "paging-file"),
        new("RuntimeError: DataLoader worker (pid 77) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.", "PyTorch", MemoryKind.Host, "shared-memory"),
        new("NCCL WARN Error: failed to extend /dev/shm/nccl-Ab12 to 9637892 bytes", "NCCL", MemoryKind.Host, "shared-memory"),
        new("RuntimeError: DataLoader worker (pid 31) is killed by signal: Killed.", "the operating system", MemoryKind.Host, "killed"),
        new("[12345.678901] Out of memory: Killed process 4711 (python3) total-vm:99999999kB, anon-rss:33554432kB, file-rss:0kB", "the operating system", MemoryKind.Host, "killed"),
        new("Memory cgroup out of memory: Killed process 88 (vllm) total-vm:50000000kB, anon-rss:16777216kB", "the container", MemoryKind.Host, "host-limit"),
        new("[  142.9] [ oom-killer ] Memory cgroup out of memory: Killed process (llama-server)\n               total-vm:2418296kB, anon-rss:2097152kB", "the container", MemoryKind.Host, "host-limit"),
        new("run-r1.scope: Failed with result 'oom-kill'.", "the operating system", MemoryKind.Host, "killed"),
        new("    Last State:     Terminated\n      Reason:       OOMKilled\n      Exit Code:    137", "the container", MemoryKind.Host, "host-limit"),
        new("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=77.batch. Some of your processes may have been killed by the cgroup out-of-memory handler.", "the container", MemoryKind.Host, "host-limit"),
        new("trainer-1 exited with code 137", "the operating system", MemoryKind.Host, "killed"),
        new("Loading checkpoint shards:  33%\nKilled\n", "the operating system", MemoryKind.Host, "killed"),
        new("/bin/bash: line 1:  4711 Killed                  python train.py", "the operating system", MemoryKind.Host, "killed"),
        new("Error: llama runner process has terminated: signal: killed", "the operating system", MemoryKind.Host, "killed"),
        new("[launch.py:315:sigkill_handler] main process exits with return code = -9", "the operating system", MemoryKind.Host, "killed"),
        new("ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.\nMemory on the node (IP: 10.0.0.1, ID: ab) where the task (task ID: cd, name=f, pid=3, memory used=1.50GB) was running was 61.00GB / 64.00GB (0.953), which exceeds the memory usage threshold of 0.95.", "Ray", MemoryKind.Host, "host-limit", null, 3 * GiB),
        new("The node was low on resource: memory. Threshold quantity: 100Mi, available: 8Mi. Container c was using 4Gi, request is 0", "Kubernetes", MemoryKind.Host, "host-limit"),
    ];

    private static IEnumerable<Wording> LookAlikes =>
    [
        new("triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: 150000, Hardware limit: 101376. Reducing block sizes or `num_stages` may help.", "Triton", MemoryKind.None, "not-out-of-memory"),
        new("RuntimeError: CUDA error: too many resources requested for launch", "Triton", MemoryKind.None, "not-out-of-memory"),
        new("RESOURCE_EXHAUSTED: Ran out of memory in memory space vmem while allocating on stack for %kernel", "Pallas", MemoryKind.None, "not-out-of-memory", null, null, "TPU"),
        new("ggml_new_object: not enough space in the context's memory pool (needed 12345, available 12000)", "llama.cpp", MemoryKind.None, "not-out-of-memory"),
        new("AssertionError: Error in memory profiling. Initial free memory 20.1 GiB, current free memory 22.5 GiB. This happens when other processes sharing the same container release GPU memory while vLLM is profiling", "vLLM", MemoryKind.None, "not-out-of-memory"),
        new("[WARNING] 2 pytorch allocator cache flushes since last step. this happens when there is high memory pressure", "DeepSpeed", MemoryKind.None, "memory-pressure"),
        new("hlo_rematerialization.cc:3022] Can't reduce memory use below 20.00GiB (21474836480 bytes) by rematerialization; only reduced to 30.00GiB", "JAX", MemoryKind.None, "memory-pressure"),
    ];
}
