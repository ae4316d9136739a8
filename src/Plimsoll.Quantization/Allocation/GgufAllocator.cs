using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Weights;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Allocation;

/// <summary>Measures what each tensor costs in each type, and spends a number of bytes where they bring most.</summary>
/// <remarks>
/// The cost of a tensor t in a type is α_t · E_t(type): E is the change of its outputs (<see cref="TensorErrors"/>), and α, how much such a change diverts the predictions, is measured by
/// running the model with this tensor alone rounded to nearest: α_t = KL ÷ E_t. KL grows with the square of small changes, as E does, and changes of different tensors hardly have to do with each other, so costs add up.
/// </remarks>
public sealed class GgufAllocator
{
    private const long Alignment = 32;

    /// <summary>Types of more bits change so little that what is measured is the rounding of the predictions, too.</summary>
    private const double MostMeasuredBits = 5;

    private readonly GgufContent content;
    private readonly GgufRecipe recipe;
    private readonly bool withFeedback;
    private readonly ImmutableArray<GgufSource> sources;
    private readonly Dictionary<(string Tensor, NumberFormat Type), double> errors = [];
    private readonly Dictionary<string, (NumberFormat Type, double Error)> trials = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> influences = new(StringComparer.Ordinal);

    /// <param name="recipe">With importances; its own types of single tensors stay as they are.</param>
    /// <param name="withFeedback">Whether the file is going to be rounded with error feedback.</param>
    public GgufAllocator(LocatedModel model, GgufRecipe recipe, bool withFeedback)
    {
        (this.recipe, this.withFeedback) = (recipe, withFeedback);
        content = GgufConversion.Read(model, recipe);
        sources = [.. content.Tensors.Where(source => source.Tensor.AllowsQuantization)];
    }

    /// <summary>Tensors that get a type.</summary>
    public int Count => sources.Length;

    /// <summary>Weights of all tensors of the file.</summary>
    public long Weights => content.Tensors.Sum(source => source.Rows.Elements);

    /// <summary>Bytes of all tensors when each is as small as it can be.</summary>
    public long LeastBytes => FixedBytes + sources.Sum(source => Candidates(source).Min(type => Padded(source.Tensor, type)));

    private long FixedBytes => content.Tensors.Where(source => !source.Tensor.AllowsQuantization).Sum(source => Padded(source.Tensor, Kept(source)));

    /// <summary>Rounds sample rows of every tensor to every type that it may get, and to nearest to one of them, with which its influence is measured.</summary>
    /// <param name="bitsPerWeight">That type is the nearest to this size, or to five bits.</param>
    /// <param name="progress">Called with the number of tensors done, from any thread.</param>
    /// <exception cref="OperationCanceledException">It was cancelled between two tensors.</exception>
    public void MeasureErrors(double bitsPerWeight, int threads, Action<int> progress, CancellationToken cancellation)
    {
        var measured = new (double[] Errors, (NumberFormat, double) Trial)[sources.Length];
        var done = 0;
        Parallel.For(0, sources.Length, new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, index =>
        {
            var source = sources[index];
            var own = new TensorErrors(source, Importance(source), recipe.Feedback?.GetValueOrDefault(source.Tensor.Name) ?? default);
            var trial = Candidates(source).Where(type => type.BlockLength > 1).DefaultIfEmpty(NumberFormats.Fp16).MinBy(type => Math.Abs(type.BitsPerWeight - Math.Min(bitsPerWeight, MostMeasuredBits)))!;
            measured[index] = ([.. Candidates(source).Select(own.Of)], (trial, own.OfNearest(trial)));
            progress(Interlocked.Increment(ref done));
        });
        foreach (var (source, own) in sources.Zip(measured))
        {
            foreach (var (type, error) in Candidates(source).Zip(own.Errors))
                errors[(source.Tensor.Name, type)] = error;
            trials[source.Tensor.Name] = own.Trial;
        }
    }

    /// <summary>Runs the model once for each tensor, with this tensor alone rounded.</summary>
    /// <param name="divergence">Runs the model and tells its mean KL divergence from itself as it was loaded.</param>
    /// <param name="progress">Called with the number of tensors done and the name of the next.</param>
    public void MeasureInfluence(TransformerModel model, int threads, Func<double> divergence, Action<int, string> progress)
    {
        foreach (var source in sources)
        {
            progress(influences.Count, source.Tensor.Name);
            var (type, error) = trials[source.Tensor.Name];
            if (error == 0)
            {
                influences[source.Tensor.Name] = 0;
                continue;
            }
            using var rounded = new RoundedTensor(model, source, type, Importance(source), threads);
            influences[source.Tensor.Name] = divergence() / error;
        }
    }

    /// <summary>The types that lose least within a number of bytes of tensors.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than <see cref="LeastBytes"/>.</exception>
    public GgufAllocation Spend(long bytes)
    {
        ImmutableArray<TensorChoices> choices = [.. sources.Select(source => new TensorChoices(source.Tensor.Name, [.. Candidates(source).Select(type => Choice(source, type))]))];
        return Allocation(ByteBudget.Spend(choices, bytes - FixedBytes));
    }

    /// <summary>The types that llama.cpp's rules give, and what they are expected to cost; null where the mixture has types that are not compared.</summary>
    public GgufAllocation? Standard(GgufFileType fileType)
    {
        try
        {
            var types = new GgufMix(fileType, content.Facts, new() { HasImatrix = true }).Assign([.. content.Tensors.Select(source => source.Tensor)]);
            var pairs = content.Tensors.Zip(types).Where(pair => pair.First.Tensor.AllowsQuantization).ToList();
            return pairs.TrueForAll(pair => Candidates(pair.First).Contains(pair.Second)) ? Allocation([.. pairs.Select(pair => Choice(pair.First, pair.Second))]) : null;
        }
        catch (PrecisionNotApplicableException)
        {
            return null;
        }
    }

    private GgufAllocation Allocation(ImmutableArray<TypeChoice> chosen) => new(
        [.. sources.Zip(chosen, (source, choice) => new AllocatedTensor(source.Tensor, choice.Type, choice.Divergence))],
        FixedBytes + chosen.Sum(choice => choice.Bytes));

    private TypeChoice Choice(GgufSource source, NumberFormat type) =>
        new(type, Padded(source.Tensor, type), influences[source.Tensor.Name] * errors[(source.Tensor.Name, type)]);

    /// <summary>The one type that the user has named, or all that go.</summary>
    private IEnumerable<NumberFormat> Candidates(GgufSource source) => ByUser(source.Tensor) is { } asked ? [asked]
        : TypeCandidates.For(source.Tensor.RowLength, !Importance(source).IsEmpty, withFeedback && source.Tensor.Category != GgufCategory.TokenEmbedding);

    private NumberFormat? ByUser(GgufTensor tensor) => tensor.Category switch
    {
        GgufCategory.TokenEmbedding when recipe.EmbeddingType is { } embedding => embedding,
        GgufCategory.Output when recipe.OutputType is { } output => output,
        _ => recipe.Overrides.FirstOrDefault(each => each.Pattern.IsMatch(tensor.Name))?.Type,
    };

    private ReadOnlyMemory<float> Importance(GgufSource source) => recipe.Importance?.Columns.GetValueOrDefault(source.Tensor.Name) ?? default;

    /// <summary>What may not be quantized keeps its type from a GGUF file, and has 16 or 32 bits from elsewhere.</summary>
    private NumberFormat Kept(GgufSource source) => content.Stored is not null ? source.Sources[0].Storage.Main.Format : source.Tensor.AlwaysF32 ? NumberFormats.Fp32 : NumberFormats.Bf16;

    private static long Padded(GgufTensor tensor, NumberFormat type) => checked((tensor.Bytes(type) + Alignment - 1) / Alignment * Alignment);
}
