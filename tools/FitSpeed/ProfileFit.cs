using Plimsoll.Planning.Speed;

/// <summary>One measurement as the speed model sees it.</summary>
internal sealed record Row(string Id, string Group, SpeedInput Input, int Generated, bool CountsPrompt, double Measured, string Block)
{
    public SpeedEstimate Estimate(SpeedModel model) =>
        (Generated == 0 ? model.Prefill(Input) : Input.PromptTokens == 0 ? model.Decode(Input) : model.Request(Input, Generated, CountsPrompt)).Estimate!;

    public double Predict(SpeedModel model) => Estimate(model).Expected;

    public bool Inside(SpeedModel model) => Estimate(model) is var estimate && estimate.Low <= Measured && Measured <= estimate.High;

    public double LogError(SpeedModel model) => Math.Log(Predict(model) / Measured);
}

/// <summary>One constant of a profile: a first guess, how far it may move before it costs something (0 fixes it), and what physics allows at most.</summary>
internal sealed record Parameter(string Name, double Guess, double Freedom = 1.5, double Max = double.PositiveInfinity);

/// <summary>Finds the constants of one profile: coordinate search on the logarithms, over the mean of a bounded error.</summary>
internal static class ProfileFit
{
    // A pull towards the first guess, so that a constant which no row determines stays where physics puts it.
    private const double Ridge = 0.003;

    public static Dictionary<string, double> Fit(SpeedProfile template, IReadOnlyList<Parameter> parameters, IReadOnlyList<Row> rows)
    {
        var values = parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Guess);
        var free = parameters.Where(parameter => parameter.Freedom > 0 && parameter.Guess > 0).ToList();
        var steps = free.ToDictionary(parameter => parameter.Name, _ => 0.4);
        var best = Loss(template, values, free, rows);
        for (var round = 0; round < 200 && steps.Values.Max() > 0.004; round++)
        {
            foreach (var parameter in free)
            {
                var step = steps[parameter.Name];
                var before = values[parameter.Name];
                var improved = false;
                foreach (var sign in (ReadOnlySpan<double>)[1, -1])
                {
                    values[parameter.Name] = Math.Min(parameter.Max, before * Math.Exp(sign * step));
                    var loss = Loss(template, values, free, rows);
                    if (loss < best - 1e-9)
                    {
                        best = loss;
                        improved = true;
                        break;
                    }
                    values[parameter.Name] = before;
                }
                steps[parameter.Name] = improved ? Math.Min(step * 1.3, 0.6) : step * 0.6;
            }
        }
        foreach (var parameter in free)
            values[parameter.Name] = Round(values[parameter.Name]);
        return values;
    }

    private static double Loss(SpeedProfile template, Dictionary<string, double> values, List<Parameter> free, IReadOnlyList<Row> rows)
    {
        var model = new SpeedModel(new(1, "", [template with { Values = values }]));
        // Each group counts the same per row, but a wild row counts at most like a moderately bad one: |e| below 0.3, flat beyond.
        var sum = rows.Sum(row => Bounded(Math.Abs(row.LogError(model))));
        var pull = free.Sum(parameter => Math.Pow(Math.Log(values[parameter.Name] / parameter.Guess) / parameter.Freedom, 2));
        return sum / rows.Count + Ridge * pull;
    }

    private static double Bounded(double error) => error < 0.02 ? error * error / 0.04 + 0.01 : error < 0.3 ? error : 0.3 + (error - 0.3) * 0.2;

    private static double Round(double value) => double.Parse(value.ToString("G4", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
