using System.Collections.Immutable;

namespace Plimsoll.Quantization.Output;

/// <summary>One file of the output: a header, then the tensors of its jobs at fixed places.</summary>
/// <param name="Name">The file's name in the output folder.</param>
/// <param name="Header">Everything before the first tensor, padding included.</param>
/// <param name="Jobs">What fills it, in an order that reads the source forwards.</param>
/// <param name="Places">Byte offset from the start of the file of each tensor that the jobs write, by name.</param>
/// <param name="Length">Bytes of the whole file, padding at its end included.</param>
public sealed record OutputFile(string Name, ReadOnlyMemory<byte> Header, ImmutableArray<WeightJob> Jobs, ImmutableDictionary<string, long> Places, long Length);

/// <summary>A small file beside the weights: <c>config.json</c>, the tokenizer.</summary>
/// <param name="Name">Its name in the output folder.</param>
/// <param name="Content">Its bytes; null where it is copied.</param>
/// <param name="CopyOf">The file that it is a copy of; null where <paramref name="Content"/> is given.</param>
public sealed record SideFile(string Name, ReadOnlyMemory<byte>? Content, string? CopyOf);

/// <summary>Everything that a quantization run is going to write, known before the first weight is read.</summary>
/// <param name="IsFolder">Whether the output is a folder; else it is the single file of <paramref name="Files"/> (or the split files beside it).</param>
/// <param name="Notes">What the user should know, as sentences: fallbacks, tensors left as they are.</param>
public sealed record OutputPlan(bool IsFolder, ImmutableArray<OutputFile> Files, ImmutableArray<SideFile> SideFiles, ImmutableArray<string> Notes);
