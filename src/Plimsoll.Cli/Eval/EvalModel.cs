using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime;

namespace Plimsoll.Cli.Eval;

/// <summary>A model that is about to be measured: weights in memory, and the text as its tokens.</summary>
internal sealed class EvalModel : IDisposable
{
    private readonly TransformerModel _model;

    private EvalModel(string name, LocatedModel located, TransformerModel model, Tokenizer tokenizer, int[] tokens)
    {
        (Name, _model, Tokens) = (name, model, tokens);
        Bos = tokenizer.Vocabulary.AddBos ? tokenizer.Vocabulary.Special.Bos : null;
        FileBytes = located.Checkpoint!.Files.Sum(file => new FileInfo(file).Length);
        BitsPerWeight = 8.0 * located.Checkpoint.StoredBytes / located.Shape.Parameters;
    }

    public string Name { get; }

    public int[] Tokens { get; }

    /// <summary>The token that begins each window; null for none.</summary>
    public int? Bos { get; }

    public long FileBytes { get; }

    public double BitsPerWeight { get; }

    /// <summary>Bytes that the weights take in memory.</summary>
    public long WeightBytes => _model.WeightBytes;

    public int VocabularySize => _model.Settings.VocabularySize;

    /// <summary>The most tokens that the model was made for; null when unknown.</summary>
    public int? MaxContext => _model.Settings.MaxContext;

    /// <summary>Beyond <see cref="MaxContext"/> there is nothing, not only worse.</summary>
    public bool HasLearnedPositions => _model.Settings.LearnedPositions;

    public TransformerSession CreateSession(SessionOptions options) => _model.CreateSession(options);

    /// <exception cref="CliException">The model cannot be run, or its tokenizer has other tokens than its weights.</exception>
    /// <exception cref="CheckpointFormatException">A file is broken.</exception>
    public static EvalModel Load(string name, string text, int threads, CliEnvironment environment)
    {
        var path = LocalModel.Locate(name, environment);
        try
        {
            var located = ModelLocator.FromPath(path);
            var tokenizer = Tokenizer.Load(LocalModel.TokenizerPath(path));
            var model = TransformerModel.Load(located, threads == 1 ? ComputePool.Single : new ComputePool(threads));
            var tokens = tokenizer.Encode(text);
            if (tokens.FirstOrDefault(token => token >= model.Settings.VocabularySize, -1) is >= 0 and var outside)
            {
                model.Dispose();
                throw CliException.BadInput($"{name}: the tokenizer gives token {outside}, and the weights know {model.Settings.VocabularySize}", "tokenizer and weights are not of the same model");
            }
            return new(name, located, model, tokenizer, tokens);
        }
        catch (UnknownArchitectureException failure)
        {
            throw CliException.BadInput($"{name}: {failure.Message}");
        }
    }

    public void Dispose() => _model.Dispose();
}
