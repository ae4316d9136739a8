using System.CommandLine;
using Plimsoll.Cli.Plan;
using Plimsoll.Numerics;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Cli.Gpus;

/// <summary><c>plimsoll gpus</c>: the GPU catalog, filtered and sorted, or one GPU with every value and its source.</summary>
internal static class GpusCommand
{
    private static readonly string[] SortKeys = ["name", "memory", "bandwidth", "price", "price-per-hour", "price-per-million", "year"];

    private static readonly Argument<string?> Model = new("MODEL") { Description = "which GPUs hold this model; the whole catalog when left out", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Name = new("--name") { Description = "only GPUs whose name contains this, or matches it where it has *", HelpName = "PATTERN" };
    private static readonly Option<string?> Vendor = new("--vendor") { Description = "only this vendor: NVIDIA, AMD, Apple, Intel", HelpName = "VENDOR" };
    private static readonly Option<string?> Architecture = new("--arch") { Description = "only architectures that contain this: ada, hopper, rdna3", HelpName = "NAME" };
    private static readonly Option<string?> MinMemory = new("--min-memory") { Description = "only GPUs sold with at least this memory: 24GiB", HelpName = "SIZE" };
    private static readonly Option<double?> MaxPrice = new("--max-price") { Description = "only GPUs launched at this price or less", HelpName = "USD" };
    private static readonly Option<double?> MaxRental = new("--max-price-per-hour") { Description = "only GPUs rented at this price per hour or less", HelpName = "USD" };
    private static readonly Option<string> Sort = CreateSort();
    private static readonly Option<string?> Show = new("--show") { Description = "one GPU with every value and its source", HelpName = "GPU" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "gpus",
            """
            The GPU catalog: memory, bandwidth, matrix rates, prices, each value with its source. With MODEL: which GPUs hold it, how many
            are needed, and why each other one loses.

            Examples:
              plimsoll gpus llama-3.1-70b -p q4_k_m --context 16k --sort price
              plimsoll gpus llama-3.1-8b --for qlora --tokens 100e6 --sort price-per-hour
              plimsoll gpus qwen3-32b --engine vllm --min-memory 40GiB --all
              plimsoll gpus --min-memory 24GiB --sort price
              plimsoll gpus --vendor nvidia --arch ada --sort bandwidth
              plimsoll gpus --name "rtx 30*"
              plimsoll gpus --show "H100 SXM"
            """)
        {
            Model, GpusForModel.For, GpusForModel.Tokens, GpusForModel.Losers, Name, Vendor, Architecture, MinMemory, MaxPrice, MaxRental, Sort, Show,
        };
        // How several GPUs share the model is what this command finds out.
        foreach (var option in PlanOptions.All.Where(option => option != PlanOptions.Parallel && option != PlanOptions.TensorSplit && option != PlanOptions.Draft).Concat(TrainingOptions.All))
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var catalog = UserCatalogs.Gpus(parsed.GetValue(PlanOptions.Catalog), environment);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        var json = parsed.GetValue(GlobalOptions.Json);
        if (parsed.GetValue(Show) is { } wanted)
        {
            var gpu = catalog.Find(wanted) ?? throw GpuChoice.Unknown(new(wanted, catalog.Suggest(wanted)));
            if (json)
                GpusJson.Write(terminal.Out, [gpu]);
            else
                GpusTable.WriteOne(terminal, gpu);
            return ExitCode.Yes;
        }

        var found = Order(catalog.All.Where(Filter(parsed)), parsed.GetValue(Sort)!).ToList();
        if (parsed.GetValue(Model) is { } model)
            return GpusForModel.Write(parsed, environment, terminal, model, found, parsed.GetResult(Sort) is { Implicit: false } ? parsed.GetValue(Sort) : null);
        if (json)
            GpusJson.Write(terminal.Out, found);
        else if (found.Count > 0)
            GpusTable.WriteAll(terminal, found);
        if (found.Count > 0)
            return ExitCode.Yes;
        terminal.Error.WriteLine("plimsoll: no GPU of the catalog meets all these conditions");
        return ExitCode.No;
    }

    private static Func<GpuSpec, bool> Filter(ParseResult parsed)
    {
        var name = parsed.GetValue(Name);
        var vendor = parsed.GetValue(Vendor);
        var architecture = parsed.GetValue(Architecture);
        var memory = ParseMemory(parsed.GetValue(MinMemory));
        var price = parsed.GetValue(MaxPrice);
        var rental = parsed.GetValue(MaxRental);
        return gpu =>
            (name is null || GpuPattern.Matches(name, gpu))
            && (vendor is null || gpu.Vendor.Equals(vendor, StringComparison.OrdinalIgnoreCase))
            && (architecture is null || gpu.Architecture?.Contains(architecture, StringComparison.OrdinalIgnoreCase) == true)
            && gpu.LabelledMemory >= memory
            && (price is null || gpu.LaunchPriceUsd?.Value <= price)
            && (rental is null || gpu.CheapestRental?.UsdPerHour <= rental);
    }

    private static ByteSize ParseMemory(string? text)
    {
        if (text is null)
            return ByteSize.Zero;
        // A bare number can only mean GiB here; and GB on a box of a graphics card is GiB too.
        var withUnit = text.Length > 0 && char.IsAsciiDigit(text[^1]) ? text + "GiB" : text.EndsWith("GB", StringComparison.OrdinalIgnoreCase) ? text[..^2] + "GiB" : text;
        return ByteSize.TryParse(withUnit, out var size)
            ? size
            : throw CliException.WrongUsage($"--min-memory '{text}' is not a size", "write it like 24GiB");
    }

    /// <summary>Memory and bandwidth: most first. Prices: cheapest first, unknown last. Year: newest first.</summary>
    private static IEnumerable<GpuSpec> Order(IEnumerable<GpuSpec> gpus, string key) => key switch
    {
        "memory" => gpus.OrderByDescending(gpu => gpu.LabelledGiB.Value).ThenBy(gpu => gpu.Id, StringComparer.Ordinal),
        "bandwidth" => gpus.OrderByDescending(gpu => gpu.Bandwidth?.Value ?? 0).ThenBy(gpu => gpu.Id, StringComparer.Ordinal),
        "price" => gpus.OrderBy(gpu => gpu.LaunchPriceUsd?.Value ?? double.MaxValue).ThenBy(gpu => gpu.Id, StringComparer.Ordinal),
        "price-per-hour" => gpus.OrderBy(gpu => gpu.CheapestRental?.UsdPerHour ?? double.MaxValue).ThenBy(gpu => gpu.Id, StringComparer.Ordinal),
        "year" => gpus.OrderByDescending(gpu => gpu.LaunchYear?.Value ?? 0).ThenBy(gpu => gpu.Id, StringComparer.Ordinal),
        _ => gpus.OrderBy(gpu => gpu.Vendor, StringComparer.Ordinal).ThenBy(gpu => gpu.Id, StringComparer.Ordinal),
    };

    private static Option<string> CreateSort()
    {
        var option = new Option<string>("--sort") { Description = $"order by {string.Join(", ", SortKeys)}", HelpName = "KEY", DefaultValueFactory = _ => "name" };
        option.AcceptOnlyFromAmong(SortKeys);
        return option;
    }
}
