using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tokenizers.Vocabularies;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Reads the vocabulary of a model from any of the files in use.</summary>
public static class VocabularyReader
{
    /// <summary>
    /// Reads a folder (<c>tokenizer.json</c>, else <c>tokenizer.model</c>, else <c>vocab.json</c> with <c>merges.txt</c>, else <c>vocab.txt</c>, else <c>*.tiktoken</c>,
    /// each with <c>tokenizer_config.json</c>), one of these files, or a GGUF file.
    /// </summary>
    /// <exception cref="CheckpointFormatException">There is no tokenizer, one that we do not know, or a broken one.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static Vocabulary Read(string path) => TokenizerSource.Read(path).Vocabulary;

    /// <summary>The vocabulary inside a GGUF file.</summary>
    /// <exception cref="CheckpointFormatException">There is none, one of a kind that we cannot run, or a broken one.</exception>
    public static Vocabulary FromGguf(GgufMetadata metadata) => GgufVocabulary.Read(metadata);
}
