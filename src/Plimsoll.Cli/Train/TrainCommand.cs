using System.CommandLine;
using Plimsoll.Cli.Plan;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Cli.Train;

/// <summary><c>plimsoll train MODEL</c>: fine-tuning, planned before and measured after.</summary>
internal static class TrainCommand
{
    public static Command Create(CliEnvironment environment)
    {
        var command = new Command("train", """
            Fine-tunes a model: plans the memory, trains with plimsoll-torch, and compares the plan with what was measured.

            Examples:
              plimsoll train demo --data stories.txt -o tuned --steps 200 --batch 8
              plimsoll train ./smollm2-135m --data chats.jsonl -o tuned --context 1024 --checkpointing full --accumulate 8
              plimsoll train ./llama-3.2-1b --data chats.jsonl -o adapter --method qlora --rank 32 --precision bf16
              plimsoll train ./llama-3.2-1b --data chats.jsonl -o merged --method lora --merge --save-every 100
              plimsoll train ./new-model --init --data corpus.txt -o trained --learning-rate 3e-3 --epochs 3 --plot loss.svg
              plimsoll train demo --data stories.txt --method qat --to q4_0 -o aware.gguf --steps 200 --batch 8
            """)
        {
            TrainOptions.Model,
        };
        TrainOptions.Method.AcceptOnlyFromAmong("full", "lora", "qlora", "qat");
        TrainOptions.Precision.AcceptOnlyFromAmong("fp32", "bf16", "fp16");
        TrainOptions.MasterWeights.AcceptOnlyFromAmong("fp32", "none");
        TrainOptions.Optimizer.AcceptOnlyFromAmong("adamw", "adamw-8bit", "sgd", "momentum", "lion", "adafactor");
        TrainOptions.Checkpointing.AcceptOnlyFromAmong("none", "selective", "full");
        TrainOptions.Schedule.AcceptOnlyFromAmong("cosine", "linear", "constant");
        foreach (var option in TrainOptions.All)
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        var path = LocalModel.Locate(parsed.GetValue(TrainOptions.Model)!, environment);
        var located = ModelChoice.Locate(path, parsed, environment);
        var job = TrainJobBuilder.Build(parsed, path, located.Shape);
        if (job.Quantization is not null)
            TrainFormat.Check(job, located);
        var request = TrainingJobPlan.Request(job, located.Shape);
        var plan = TrainPlan.Create(request);
        if (parsed.GetValue(TrainOptions.PlanOnly))
        {
            var view = new PlanReport { Training = request, Plan = plan };
            if (parsed.GetValue(GlobalOptions.Json))
                PlanJson.Write(terminal.Out, view);
            else
                PlanTable.Write(terminal, view, explain: false);
            return ExitCode.Yes;
        }
        TrainPlan.Check(job, plan, environment, parsed.GetValue(TrainOptions.Force));
        var program = TorchProgram.Find(environment);
        using var listener = new TrainListener(parsed, terminal, environment);
        var code = program.Train(job, parsed.GetValue(TrainOptions.Libtorch), occurrence => listener.Hear(occurrence, job), environment);
        listener.Dispose();
        environment.Interrupted.ThrowIfCancellationRequested();
        if (listener.Failed is { } failed)
            throw new CliException(code, failed.Message, failed.Hint);
        if (code != ExitCode.Yes || listener is not { Started: { } started, Finished: { } finished })
            throw CliException.Environment($"plimsoll-torch ended with exit code {code} and no word of why", "137 is the kernel's answer to too much memory; what it wrote is above");
        var report = new TrainReport(job, plan, started, listener.Steps, listener.Validations, finished);
        if (parsed.GetValue(TrainOptions.Plot) is { } plot)
            File.WriteAllText(plot, TrainPlot.Draw(report));
        if (parsed.GetValue(GlobalOptions.Json))
            TrainJson.Write(terminal.Out, report);
        else
            TrainTable.Write(terminal, report);
        return ExitCode.Yes;
    }
}
