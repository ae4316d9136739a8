using Plimsoll.Torch.Data;
using Plimsoll.Torch.Decoders;

namespace Plimsoll.Torch.Tests.Data;

public class RowSetTests
{
    [Fact]
    public void Packed_documents_follow_each_other_and_the_first_token_of_each_is_not_predicted()
    {
        var rows = RowSet.Pack([new([1, 2, 3], 1), new([4, 5, 6, 7], 1)], 3);

        Assert.Equal(2, rows.Count);
        Assert.Equal([1, 2, 3], rows[0].Inputs);
        Assert.Equal([2, 3, Decoder.Ignored], rows[0].Targets);
        Assert.Equal([4, 5, 6], rows[1].Inputs);
        Assert.Equal([5, 6, 7], rows[1].Targets);
    }

    [Fact]
    public void Of_a_completion_only_the_completion_is_learnt()
    {
        var rows = RowSet.Pad([new([1, 2, 3, 4, 5], 3)], 6, padding: 0);

        Assert.Equal([1, 2, 3, 4, 5, 0], rows[0].Inputs);
        Assert.Equal([Decoder.Ignored, Decoder.Ignored, 4, 5, Decoder.Ignored, Decoder.Ignored], rows[0].Targets);
        Assert.Equal(2, rows[0].Learnt);
    }

    [Fact]
    public void Data_that_fill_no_row_are_refused_with_a_context_that_would_do()
    {
        List<Document> documents = [new(Enumerable.Range(0, 40).ToArray(), 1)];
        var failure = Assert.Throws<TrainingRefusedException>(() => RowSet.Pack(documents, 64).OrRefuse("x.txt", documents, 64));
        Assert.Equal("x.txt: 40 tokens of training data fill no row of 64, which takes 65", failure.Message);
        Assert.Contains("--context 19", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_pass_sees_every_row_once_in_another_order()
    {
        var shuffle = new Shuffle(50, seed: 3);
        var first = Enumerable.Range(0, 50).Select(place => shuffle.RowAt(place)).ToList();
        var second = Enumerable.Range(50, 50).Select(place => shuffle.RowAt(place)).ToList();

        Assert.Equal(Enumerable.Range(0, 50), first.Order());
        Assert.Equal(Enumerable.Range(0, 50), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(second[7], new Shuffle(50, seed: 3).RowAt(57));
        Assert.NotEqual(first, Enumerable.Range(0, 50).Select(place => new Shuffle(50, seed: 4).RowAt(place)));
    }
}
