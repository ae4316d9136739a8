using System.Text;

namespace Plimsoll.Testing.Peers;

/// <summary>A model that llama.cpp v0.5.0 has loaded: the reference for files, token ids and logits. The running test skips where the library is not to be had.</summary>
/// <remarks>Two threads, KV cache in FP32, no flash attention: as exact as llama.cpp computes on a CPU.</remarks>
public sealed unsafe class Llama : IDisposable
{
    private static readonly Lock Gate = new();

    private readonly nint _model;
    private readonly nint _vocabulary;

    private Llama(nint model)
    {
        _model = model;
        _vocabulary = ((delegate* unmanaged<nint, nint>)LlamaLibrary.Export("llama_model_get_vocab"))(model);
        VocabularySize = ((delegate* unmanaged<nint, int>)LlamaLibrary.Export("llama_vocab_n_tokens"))(_vocabulary);
    }

    public int VocabularySize { get; }

    /// <summary>Loads a GGUF file, or all files of a split one by the first.</summary>
    /// <exception cref="InvalidDataException">llama.cpp refuses the file; the message is its log.</exception>
    /// <param name="vocabularyOnly">Loads no weights: for files that have none, and for tokenizing alone.</param>
    public static Llama Load(string path, bool vocabularyOnly = false)
    {
        // The library's log is one for the whole process.
        lock (Gate)
        {
            LlamaCppPeer.Require();
            LlamaLibrary.TakeLog();
            var parameters = ((delegate* unmanaged<LlamaModelParams>)LlamaLibrary.Export("llama_model_default_params"))();
            parameters.GpuLayers = 0;
            parameters.CheckTensors = 1;
            parameters.UseExtraBufferTypes = 0;
            parameters.VocabularyOnly = (byte)(vocabularyOnly ? 1 : 0);
            nint model;
            fixed (byte* text = Utf8(path))
                model = ((delegate* unmanaged<byte*, LlamaModelParams, nint>)LlamaLibrary.Export("llama_model_load_from_file"))(text, parameters);
            return model != 0 ? new(model) : throw new InvalidDataException($"llama.cpp refuses {path}: {LlamaLibrary.TakeLog()}");
        }
    }

    /// <summary>A value of the metadata as text; null when the key is absent.</summary>
    public string? Metadata(string key)
    {
        var buffer = new byte[1 << 16];
        fixed (byte* name = Utf8(key))
        fixed (byte* text = buffer)
        {
            var length = ((delegate* unmanaged<nint, byte*, byte*, nuint, int>)LlamaLibrary.Export("llama_model_meta_val_str"))(_model, name, text, (nuint)buffer.Length);
            return length < 0 ? null : Encoding.UTF8.GetString(buffer, 0, Math.Min(length, buffer.Length));
        }
    }

    /// <param name="addSpecial">Whether the tokens that the model wants around a text (BOS, EOS) are added.</param>
    /// <param name="parseSpecial">Whether the text of a control token stands for the token.</param>
    public int[] Tokenize(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        var bytes = Encoding.UTF8.GetBytes(text + '\0');
        var tokens = new int[bytes.Length + 8];
        fixed (byte* source = bytes)
        fixed (int* target = tokens)
        {
            var count = ((delegate* unmanaged<nint, byte*, int, int*, int, byte, byte, int>)LlamaLibrary.Export("llama_tokenize"))(
                _vocabulary, source, bytes.Length - 1, target, tokens.Length, (byte)(addSpecial ? 1 : 0), (byte)(parseSpecial ? 1 : 0));
            return count >= 0 ? tokens[..count] : throw new InvalidOperationException($"llama_tokenize needs room for {-count} tokens");
        }
    }

    /// <summary>The bytes that a token stands for.</summary>
    public byte[] Piece(int token)
    {
        var buffer = new byte[1024];
        fixed (byte* text = buffer)
        {
            var count = ((delegate* unmanaged<nint, int, byte*, int, int, byte, int>)LlamaLibrary.Export("llama_token_to_piece"))(_vocabulary, token, text, buffer.Length, 0, 1);
            return buffer[..Math.Max(0, count)];
        }
    }

    /// <summary>The logits after each token of one sequence: (tokens, vocabulary).</summary>
    /// <exception cref="InvalidOperationException">llama.cpp cannot evaluate them; the message is its log.</exception>
    public float[][] Logits(ReadOnlySpan<int> tokens)
    {
        lock (Gate)
        {
            LlamaLibrary.TakeLog();
            var context = CreateContext(tokens.Length);
            try
            {
                Decode(context, tokens);
                return ReadLogits(context, tokens.Length);
            }
            finally
            {
                ((delegate* unmanaged<nint, void>)LlamaLibrary.Export("llama_free"))(context);
            }
        }
    }

    /// <summary>What <c>llama-quantize</c> does with a GGUF file.</summary>
    /// <param name="fileType">The value of <c>general.file_type</c>.</param>
    /// <param name="importance">The importance of the columns by tensor name; null for none.</param>
    /// <exception cref="InvalidOperationException">llama.cpp refuses; the message is its log.</exception>
    public static void Quantize(string input, string output, int fileType, bool pure = false, bool requantize = false, IReadOnlyDictionary<string, float[]>? importance = null, int threads = 2)
    {
        lock (Gate)
        {
            LlamaCppPeer.Require();
            LlamaLibrary.TakeLog();
            using var native = new NativeImportance(importance ?? new Dictionary<string, float[]>());
            var parameters = ((delegate* unmanaged<LlamaQuantizeParams>)LlamaLibrary.Export("llama_model_quantize_default_params"))();
            parameters.Threads = threads;
            parameters.FileType = fileType;
            parameters.Pure = (byte)(pure ? 1 : 0);
            parameters.AllowRequantize = (byte)(requantize ? 1 : 0);
            parameters.Importance = importance is null ? null : native.Entries;
            fixed (byte* from = Utf8(input))
            fixed (byte* to = Utf8(output))
            {
                if (((delegate* unmanaged<byte*, byte*, LlamaQuantizeParams*, uint>)LlamaLibrary.Export("llama_model_quantize"))(from, to, &parameters) != 0)
                    throw new InvalidOperationException($"llama.cpp refuses to quantize {input}: {LlamaLibrary.TakeLog()}");
            }
        }
    }

    public void Dispose() => ((delegate* unmanaged<nint, void>)LlamaLibrary.Export("llama_model_free"))(_model);

    private nint CreateContext(int tokens)
    {
        var parameters = ((delegate* unmanaged<LlamaContextParams>)LlamaLibrary.Export("llama_context_default_params"))();
        // llama.cpp rounds the context up to a multiple of 256.
        parameters.Context = (uint)(tokens + 255) / 256 * 256;
        parameters.Batch = parameters.Context;
        parameters.MicroBatch = Math.Min(512, parameters.Context);
        parameters.Threads = parameters.BatchThreads = 2;
        parameters.FlashAttention = 0;
        parameters.KeyType = parameters.ValueType = 0;
        var context = ((delegate* unmanaged<nint, LlamaContextParams, nint>)LlamaLibrary.Export("llama_init_from_model"))(_model, parameters);
        return context != 0 ? context : throw new InvalidOperationException($"llama.cpp makes no context: {LlamaLibrary.TakeLog()}");
    }

    private static void Decode(nint context, ReadOnlySpan<int> tokens)
    {
        var batch = ((delegate* unmanaged<int, int, int, LlamaBatch>)LlamaLibrary.Export("llama_batch_init"))(tokens.Length, 0, 1);
        try
        {
            batch.Count = tokens.Length;
            for (var index = 0; index < tokens.Length; index++)
            {
                batch.Tokens[index] = tokens[index];
                batch.Positions[index] = index;
                batch.SequenceCounts[index] = 1;
                batch.Sequences[index][0] = 0;
                batch.WantsLogits[index] = 1;
            }
            var result = ((delegate* unmanaged<nint, LlamaBatch, int>)LlamaLibrary.Export("llama_decode"))(context, batch);
            if (result != 0)
                throw new InvalidOperationException($"llama_decode gives {result}: {LlamaLibrary.TakeLog()}");
        }
        finally
        {
            ((delegate* unmanaged<LlamaBatch, void>)LlamaLibrary.Export("llama_batch_free"))(batch);
        }
    }

    private float[][] ReadLogits(nint context, int tokens)
    {
        var logitsOf = (delegate* unmanaged<nint, int, float*>)LlamaLibrary.Export("llama_get_logits_ith");
        var logits = new float[tokens][];
        for (var index = 0; index < tokens; index++)
            logits[index] = new ReadOnlySpan<float>(logitsOf(context, index), VocabularySize).ToArray();
        return logits;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

    /// <summary>An importance matrix in the form of <c>llama_model_imatrix_data</c>.</summary>
    private sealed class NativeImportance : IDisposable
    {
        private readonly List<nint> _memory = [];

        public NativeImportance(IReadOnlyDictionary<string, float[]> importance)
        {
            Entries = (LlamaImportance*)Allocate(sizeof(LlamaImportance) * (importance.Count + 1));
            var index = 0;
            foreach (var (name, values) in importance)
            {
                var text = Utf8(name);
                var entry = &Entries[index++];
                entry->Name = (byte*)Allocate(text.Length);
                text.CopyTo(new Span<byte>(entry->Name, text.Length));
                entry->Data = (float*)Allocate(values.Length * sizeof(float));
                values.CopyTo(new Span<float>(entry->Data, values.Length));
                entry->Size = (nuint)values.Length;
            }
            Entries[index] = default;
        }

        public LlamaImportance* Entries { get; }

        public void Dispose()
        {
            foreach (var pointer in _memory)
                System.Runtime.InteropServices.NativeMemory.Free((void*)pointer);
        }

        private void* Allocate(int bytes)
        {
            var pointer = System.Runtime.InteropServices.NativeMemory.Alloc((nuint)Math.Max(1, bytes));
            _memory.Add((nint)pointer);
            return pointer;
        }
    }
}
