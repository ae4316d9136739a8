using System.Text;

namespace Plimsoll.Testing.Peers;

/// <summary>A sequence that llama.cpp v0.5.0 runs as its own tools would: default cache and attention, weights repacked where it can. The opponent of speed measurements.</summary>
public sealed unsafe class LlamaSession : IDisposable
{
    private readonly nint _model;
    private readonly nint _context;
    private readonly int _vocabulary;

    /// <exception cref="InvalidDataException">llama.cpp refuses the file; the message is its log.</exception>
    public LlamaSession(string path, int context, int threads) : this(path, context, threads, null)
    {
    }

    /// <param name="evaluated">Asked and told of each operation; null for none.</param>
    internal LlamaSession(string path, int context, int threads, delegate* unmanaged[Cdecl]<LlamaInputs.GgmlTensor*, byte, void*, byte> evaluated)
    {
        LlamaLibrary.TakeLog();
        var modelParameters = ((delegate* unmanaged<LlamaModelParams>)LlamaLibrary.Export("llama_model_default_params"))();
        modelParameters.GpuLayers = 0;
        fixed (byte* text = Encoding.UTF8.GetBytes(path + '\0'))
            _model = ((delegate* unmanaged<byte*, LlamaModelParams, nint>)LlamaLibrary.Export("llama_model_load_from_file"))(text, modelParameters);
        if (_model == 0)
            throw new InvalidDataException($"llama.cpp refuses {path}: {LlamaLibrary.TakeLog()}");
        var parameters = ((delegate* unmanaged<LlamaContextParams>)LlamaLibrary.Export("llama_context_default_params"))();
        parameters.Context = (uint)context;
        parameters.Evaluated = evaluated;
        (parameters.Threads, parameters.BatchThreads) = (threads, threads);
        _context = ((delegate* unmanaged<nint, LlamaContextParams, nint>)LlamaLibrary.Export("llama_init_from_model"))(_model, parameters);
        if (_context == 0)
            throw new InvalidDataException($"llama.cpp makes no context for {path}: {LlamaLibrary.TakeLog()}");
        var vocabulary = ((delegate* unmanaged<nint, nint>)LlamaLibrary.Export("llama_model_get_vocab"))(_model);
        _vocabulary = ((delegate* unmanaged<nint, int>)LlamaLibrary.Export("llama_vocab_n_tokens"))(vocabulary);
    }

    /// <summary>Appends tokens; the answer is the logits behind the last one, valid until the next call.</summary>
    /// <exception cref="InvalidOperationException">llama.cpp cannot evaluate them; the message is its log.</exception>
    public ReadOnlySpan<float> Forward(int[] tokens)
    {
        fixed (int* first = tokens)
        {
            var batch = ((delegate* unmanaged<int*, int, LlamaBatch>)LlamaLibrary.Export("llama_batch_get_one"))(first, tokens.Length);
            var result = ((delegate* unmanaged<nint, LlamaBatch, int>)LlamaLibrary.Export("llama_decode"))(_context, batch);
            if (result != 0)
                throw new InvalidOperationException($"llama_decode gives {result}: {LlamaLibrary.TakeLog()}");
        }
        return new(((delegate* unmanaged<nint, int, float*>)LlamaLibrary.Export("llama_get_logits_ith"))(_context, -1), _vocabulary);
    }

    /// <summary>Runs a whole sequence from its beginning, with the logits of every token asked for.</summary>
    public void ForwardAll(int[] tokens)
    {
        var batch = ((delegate* unmanaged<int, int, int, LlamaBatch>)LlamaLibrary.Export("llama_batch_init"))(tokens.Length, 0, 1);
        batch.Count = tokens.Length;
        for (var index = 0; index < tokens.Length; index++)
        {
            (batch.Tokens[index], batch.Positions[index], batch.SequenceCounts[index], batch.WantsLogits[index]) = (tokens[index], index, 1, 1);
            batch.Sequences[index][0] = 0;
        }
        var result = ((delegate* unmanaged<nint, LlamaBatch, int>)LlamaLibrary.Export("llama_decode"))(_context, batch);
        ((delegate* unmanaged<LlamaBatch, void>)LlamaLibrary.Export("llama_batch_free"))(batch);
        if (result != 0)
            throw new InvalidOperationException($"llama_decode gives {result}: {LlamaLibrary.TakeLog()}");
    }

    /// <summary>Begins a new sequence.</summary>
    public void Clear()
    {
        var memory = ((delegate* unmanaged<nint, nint>)LlamaLibrary.Export("llama_get_memory"))(_context);
        ((delegate* unmanaged<nint, byte, void>)LlamaLibrary.Export("llama_memory_clear"))(memory, 0);
    }

    public void Dispose()
    {
        ((delegate* unmanaged<nint, void>)LlamaLibrary.Export("llama_free"))(_context);
        ((delegate* unmanaged<nint, void>)LlamaLibrary.Export("llama_model_free"))(_model);
    }
}
