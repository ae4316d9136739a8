using System.Collections.Immutable;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Gguf;

namespace Plimsoll.Cli.Calibrate;

/// <summary>What a text has shown for a GGUF file.</summary>
/// <param name="Importance">How much each column matters.</param>
/// <param name="Feedback">How errors of columns make up for each other, by tensor; null where they do not.</param>
/// <param name="Digest">Tells one text from another.</param>
internal sealed record CalibratedRecipe(GgufImportance Importance, IReadOnlyDictionary<string, ImmutableArray<FeedbackFactor?>>? Feedback, string Digest);
