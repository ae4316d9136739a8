#:property PublishAot=false
#:property IsAotCompatible=false
#:property IsPackable=false

// Writes harbour stories from a grammar: the text that the demo model learns, and the texts that it is calibrated and measured on.
//   dotnet run tools/demo-model/write-text.cs -- SEED STORIES OUT.txt
// The same seed gives the same text. A story keeps its names, counts and sums from beginning to end, so that a model has something to remember.
using System.Globalization;
using System.Text;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var seedText, var countText, var output] || !ulong.TryParse(seedText, out var seed) || !int.TryParse(countText, out var count))
{
    Console.Error.WriteLine("usage: dotnet run write-text.cs -- SEED STORIES OUT.txt");
    return 2;
}

var text = new StringBuilder();
var dice = new Dice(seed);
for (var story = 0; story < count; story++)
    text.Append(new Story(dice).Tell()).Append("\n\n");
File.WriteAllText(output, text.ToString());
return 0;

/// <summary>SplitMix64: the same numbers on every platform and version.</summary>
sealed class Dice(ulong state)
{
    private ulong state = state;

    public int Below(int limit)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (int)((z ^ (z >> 31)) % (ulong)limit);
    }

    public int Between(int low, int high) => low + Below(high - low + 1);

    public T Pick<T>(params T[] choices) => choices[Below(choices.Length)];

    public bool Chance(int percent) => Below(100) < percent;
}

/// <summary>One voyage: a ship is loaded up to her line, or over it, and sails.</summary>
sealed class Story(Dice dice)
{
    private static readonly string[] Ships =
    [
        "Albatross", "Bluebell", "Cormorant", "Dolphin", "Evening Star", "Fortune", "Gannet", "Halcyon", "Island Queen", "Juniper",
        "Kittiwake", "Lantern", "Meridian", "Northern Light", "Orion", "Petrel", "Quicksilver", "Rosalind", "Seagull", "Tern",
    ];

    private static readonly (string Name, string Subject, string Possessive)[] Captains =
    [
        ("Ines", "she", "her"), ("Tom", "he", "his"), ("Maud", "she", "her"), ("Olaf", "he", "his"), ("Rosa", "she", "her"), ("Hugo", "he", "his"),
        ("Greta", "she", "her"), ("Silas", "he", "his"), ("Nora", "she", "her"), ("Piet", "he", "his"), ("Ada", "she", "her"), ("Jonas", "he", "his"),
        ("Edith", "she", "her"), ("Marco", "he", "his"), ("Lena", "she", "her"), ("Abel", "he", "his"),
    ];

    private static readonly string[] Ports =
    [
        "Bristol", "Lisbon", "Bergen", "Hamburg", "Cork", "Porto", "Leith", "Riga", "Genoa", "Dover", "Calais", "Malaga", "Oslo", "Tunis", "Naples", "Gdansk",
    ];

    private static readonly (string One, string Many, string[] Goods)[] Packages =
    [
        ("crate", "crates", ["tea", "oranges", "glass", "books", "lemons"]),
        ("barrel", "barrels", ["oil", "salt", "tar", "cider", "herring"]),
        ("sack", "sacks", ["grain", "coal", "coffee", "beans", "sugar"]),
        ("chest", "chests", ["silk", "tools", "silver", "spices", "maps"]),
        ("bale", "bales", ["wool", "cotton", "hemp", "straw", "hides"]),
        ("block", "blocks", ["marble", "stone", "ice", "iron", "cheese"]),
    ];

    private static readonly string[] Colours = ["red", "green", "black", "white", "blue", "grey", "yellow", "brown"];
    private static readonly string[] Days = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"];

    private readonly string ship = dice.Pick(Ships);
    private readonly (string Name, string Subject, string Possessive) captain = dice.Pick(Captains);
    private readonly string home = dice.Pick(Ports);
    private readonly List<string> sentences = [];

    public string Tell()
    {
        var goal = dice.Pick([.. Ports.Where(port => port != home)]);
        var first = dice.Below(Packages.Length);
        var second = (first + dice.Between(1, Packages.Length - 1)) % Packages.Length;
        var (firstGoods, secondGoods) = (dice.Pick(Packages[first].Goods), dice.Pick(Packages[second].Goods));
        var (firstCount, secondCount) = (dice.Between(2, 9), dice.Between(2, 9));
        var (firstTons, secondTons) = (dice.Between(1, 5), dice.Between(1, 5));

        Open();
        var load = $"{Count(firstCount, first)} of {firstGoods} and {Count(secondCount, second)} of {secondGoods}";
        Say($"Captain {captain.Name} had {load} for {goal}.", $"{load} stood on the quay for {goal}, and Captain {captain.Name} wanted them all.",
            $"Captain {captain.Name} was to bring {load} to {goal}.");
        Say($"Each {Packages[first].One} weighed {Tons(firstTons)} and each {Packages[second].One} weighed {Tons(secondTons)}.",
            $"A {Packages[first].One} weighed {Tons(firstTons)}, a {Packages[second].One} {Tons(secondTons)}.");
        var (firstWeight, secondWeight) = (firstCount * firstTons, secondCount * secondTons);
        var total = firstWeight + secondWeight;
        Say($"That made {firstWeight} and {secondWeight}, or {Tons(total)} in all.", $"{firstWeight} and {secondWeight} are {total}, so it was {Tons(total)} in all.");

        var limit = Math.Max(4, total + dice.Between(-secondWeight / 2, 12));
        Say($"The {ship} could carry {Tons(limit)}.", $"Her line allowed {Tons(limit)}.");
        if (total > limit)
            secondCount = Unload(total, limit, Packages[second], secondGoods, secondCount, secondTons);
        else if (total == limit)
            Say("So she was full, and the water touched the line.", "That was just enough, and not a ton more.");
        else
            Say($"So there was room for {Tons(limit - total)} more, and the line stayed dry.", $"The line stayed dry, with {Tons(limit - total)} to spare.");

        Sail(goal);
        var arrived = secondCount == 0 ? $"{Count(firstCount, first)} of {firstGoods}" : $"{Count(firstCount, first)} of {firstGoods} and {Count(secondCount, second)} of {secondGoods}";
        Say($"The harbour master counted {arrived}.", $"They carried {arrived} ashore.", $"In {goal} the {ship} gave up {arrived}.");
        Say($"\"A ship that keeps her line comes home,\" said Captain {captain.Name}.", $"Captain {captain.Name} wrote it down in {captain.Possessive} book and slept.",
            $"Then {captain.Subject} turned the {ship} round and sailed home to {home}.", $"And the {ship} went back to {home}, light and quick.");
        return string.Join(' ', sentences);
    }

    private void Open()
    {
        var colour = dice.Pick(Colours);
        Say($"The {ship} lay in {home}.", $"One morning the {ship} lay in the harbour of {home}.", $"In {home} there was a ship called the {ship}.");
        Say($"She had a {colour} hull and a white line along her side.", $"Her hull was {colour}, and a line was painted on it.", $"She was small and {colour}, but she was a good ship.");
    }

    /// <summary>Takes packages off until the line is dry; returns how many stay.</summary>
    private int Unload(int total, int limit, (string One, string Many, string[] Goods) package, string goods, int count, int tons)
    {
        var over = total - limit;
        Say($"That was {Tons(over)} too many, and the water rose over the line.", $"But the line went under, for that was {Tons(over)} too many.");
        Say("\"We must leave something behind,\" said the mate.", "\"She is too deep,\" said the mate.", $"\"No,\" said Captain {captain.Name}, \"not like this.\"");
        var off = Math.Min(count, (over + tons - 1) / tons);
        var left = total - off * tons;
        var what = off == 1 ? $"1 {package.One}" : $"{off} {package.Many}";
        Say($"They took off {what} of {goods}, and now she carried {Tons(left)}.", $"So {what} of {goods} went back to the quay, which left {Tons(left)}.");
        Say("The line came up again.", "Now the line was dry.", "Then the line was clear of the water.");
        return count - off;
    }

    private void Sail(string goal)
    {
        var days = dice.Between(2, 7);
        Say($"They sailed for {goal} under a {dice.Pick("clear", "grey", "dark", "pale", "bright")} sky.", $"With the {dice.Pick("morning", "evening")} tide they left {home} for {goal}.");
        if (dice.Chance(70))
        {
            var day = Days[dice.Below(days - 1)];
            Say($"On the {day} day the wind turned to the {dice.Pick("north", "south", "east", "west")}.",
                $"On the {day} day a {dice.Pick("storm", "squall", "thick fog", "heavy swell")} came, but the {ship} rode high and was safe.",
                $"On the {day} day they saw {dice.Pick("a whale", "another ship", "an island", "three gulls", "a light")} far away.",
                $"On the {day} day the cook made soup, and everybody sang.");
        }
        Say($"On the {Days[days - 1]} day they reached {goal}.", $"After {days} days they came to {goal}.");
    }

    private void Say(params string[] ways)
    {
        var sentence = dice.Pick(ways);
        sentences.Add(char.ToUpperInvariant(sentence[0]) + sentence[1..]);
    }

    private static string Tons(int tons) => tons == 1 ? "1 ton" : $"{tons} tons";

    private static string Count(int count, int package) => count == 1 ? $"1 {Packages[package].One}" : $"{count} {Packages[package].Many}";
}
