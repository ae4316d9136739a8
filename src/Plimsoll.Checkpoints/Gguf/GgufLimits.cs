namespace Plimsoll.Checkpoints.Gguf;

/// <summary>What a GGUF header may claim before it is believed. The first four are rules of the reference loader (ggml's gguf.cpp, ggml.h).</summary>
public static class GgufLimits
{
    /// <summary><c>GGML_MAX_DIMS</c>.</summary>
    public const int MaxDimensions = 4;

    /// <summary><c>GGML_MAX_NAME</c> less the terminating NUL.</summary>
    public const int MaxTensorNameBytes = 63;

    /// <summary><c>GGUF_DEFAULT_ALIGNMENT</c>.</summary>
    public const int DefaultAlignment = 32;

    /// <summary><c>GGUF_MAX_STRING_LENGTH</c> and <c>GGUF_MAX_ARRAY_ELEMENTS</c>: 1 Gi.</summary>
    public const long MaxLength = 1L << 30;

    /// <summary>Real files have fewer than 100 keys and 2,000 tensors (experts are merged).</summary>
    public const int MaxKeys = 65_536;

    public const int MaxTensors = 262_144;

    /// <summary>What is read into memory as keys, strings and short arrays. Chat templates are the largest strings in use, below 100 KB.</summary>
    public const int MaxLoadedBytes = 64 << 20;

    /// <summary>Numeric arrays up to this length are read (values that differ by layer); longer ones (a value per token) are located.</summary>
    public const int MaxLoadedElements = 4096;

    /// <summary>The end of the last tensor description. The vocabularies of real files take up to 20 MB.</summary>
    public const long MaxHeaderBytes = 1L << 30;
}
