using System.Diagnostics;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Runtime.Weights;
using Plimsoll.Torch.Adapters;
using Plimsoll.Torch.Data;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Native;
using Plimsoll.Torch.Optimizers;
using Plimsoll.Torch.Saving;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Running;

/// <summary>A job from its model and data to the trained model on disk.</summary>
internal static class TrainingRun
{
    /// <exception cref="TrainingRefusedException">The data, the model or the settings do not allow the run.</exception>
    /// <exception cref="UnknownArchitectureException">The architecture is not trained here.</exception>
    /// <exception cref="Checkpoints.CheckpointFormatException">A file of the model is broken.</exception>
    /// <exception cref="TorchUnavailableException">A CUDA device is asked for, and there is none.</exception>
    /// <exception cref="IOException">A file cannot be read, or the disk is full.</exception>
    /// <exception cref="OperationCanceledException">The run was interrupted; with checkpoints asked for, its state is kept.</exception>
    public static void Execute(TrainingJob job, Action<TrainingEvent> report, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var meter = new ProcessMeter();
        meter.Begin("load");
        if (job.Threads is { } threads)
            set_num_threads(threads);
        manual_seed(job.Seed);
        var device = DeviceOf(job);
        var located = ModelLocator.FromPath(job.Model);
        using var checkpoint = Open(job, located);
        CheckLength(job, checkpoint);
        var data = TrainingData.Read(job, Tokenizer.Load(job.Model), checkpoint.Settings.VocabularySize);
        using var decoder = Load(job, located, checkpoint, device);
        var quantized = job.Quantization is null ? null : new QuantizedModel(job, located);
        quantized?.Round(decoder);
        using var optimizer = OptimizerTable.Create(job, decoder.Weights.Where(weight => weight.Learns));
        using var objective = job.Quantization is { Distill: true } ? new Distillation(decoder, new DecoderLoader(checkpoint, TypeOf(job.Compute), device).Load()) : new Objective(decoder);
        var trainer = new Trainer(job, decoder, data, objective, optimizer, meter, device);
        var settings = RunSettings.Of(job, located);
        if (job.Resume)
            trainer.Position = TrainingState.Restore(job.WorkFolder, trainer.Learning, optimizer, settings);
        meter.End();
        report(new TrainingStarted(
            decoder.Elements, trainer.Learning.Sum(weight => weight.Value.numel()), data.Training.Count, data.Validation.Count, data.Training.Learnt, trainer.Steps, trainer.Done));
        try
        {
            trainer.Run(report, Save, cancellation);
        }
        catch (OperationCanceledException) when (job.SaveEvery > 0 && trainer.Done > 0)
        {
            Save();
            throw;
        }
        if (quantized is not null)
            quantized.Write(decoder, optimizer, cancellation);
        else
            Write(job, located, decoder);
        TrainingState.Delete(job);
        report(new TrainingFinished(job.Output, trainer.Steps, trainer.Loss, trainer.ValidationLoss, clock.Elapsed.TotalSeconds, meter.Phases));

        void Save()
        {
            TrainingState.Write(job.WorkFolder, trainer.Learning, optimizer, trainer.Position, settings);
            report(new TrainingSaved(trainer.Done, Path.Combine(job.WorkFolder, TrainingState.FileName)));
        }
    }

    private static DecoderCheckpoint Open(TrainingJob job, LocatedModel located)
    {
        if (!job.Initialize)
        {
            return located.Checkpoint is not null
                ? DecoderCheckpoint.Open(located)
                : throw new TrainingRefusedException($"{job.Model} has a configuration and no weights", "--init draws weights at random and trains from nothing");
        }
        var config = Directory.Exists(job.Model) ? Path.Combine(job.Model, "config.json") : job.Model;
        return DecoderCheckpoint.Describe(ModelConfig.Parse(config, File.ReadAllBytes(config)), located.Shape);
    }

    private static Device DeviceOf(TrainingJob job) => job.Device == TrainingDevice.Cpu ? CPU
        : cuda.is_available() ? CUDA
        : throw new TorchUnavailableException("this libtorch finds no CUDA device", "--libtorch takes the lib folder of a libtorch 2.10 with CUDA; without it, training runs on the CPU");

    private static void CheckLength(TrainingJob job, DecoderCheckpoint checkpoint)
    {
        if (checkpoint.Settings.MaxContext is { } longest && job.SequenceLength > longest)
            throw new TrainingRefusedException($"rows of {job.SequenceLength} tokens are longer than the {longest} that the model was made for", $"--context {longest} is the longest");
    }

    private static Decoder Load(TrainingJob job, LocatedModel located, DecoderCheckpoint checkpoint, Device device)
    {
        var loader = new DecoderLoader(checkpoint, TypeOf(job.Compute), device) { Initialize = job.Initialize, FourBit = job.Method == TrainingMethod.Qlora };
        var decoder = loader.Load();
        if (job.Adapter is { Merge: false } && located.IsGguf)
            throw new TrainingRefusedException("adapters of a GGUF file have no file format here: PEFT's names are those of Hugging Face folders", "--merge adds them to the weights");
        if (job.Method != TrainingMethod.Full)
            return AdapterSetup.Apply(decoder, located.Shape, job.Adapter ?? throw new TrainingRefusedException("adapters need a rank", "--rank 16"), device);
        foreach (var weight in decoder.Weights)
            weight.Learns = true;
        return decoder;
    }

    private static void Write(TrainingJob job, LocatedModel located, Decoder decoder)
    {
        if (job.Adapter is { Merge: false })
            AdapterFolder.Write(job.Output, job, decoder);
        else if (located.Checkpoint is { Gguf: { } metadata } checkpoint)
            GgufFile.Write(Path.Combine(job.Output, "model.gguf"), checkpoint, metadata, decoder);
        else
            ModelFolder.Write(job.Output, job.Model, decoder, SavedType(located));
    }

    private static ScalarType TypeOf(ComputeType compute) => compute switch
    {
        ComputeType.Bf16 => ScalarType.BFloat16,
        ComputeType.Fp16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    /// <summary>The type of the weights that the model was published in; BF16 where it is quantized or not known.</summary>
    private static ScalarType SavedType(LocatedModel located)
    {
        var stored = located.Checkpoint?.Tensors.FirstOrDefault(tensor => tensor.Dimensions.Length == 2)?.Format;
        return stored == NumberFormats.Fp32 ? ScalarType.Float32 : stored == NumberFormats.Fp16 ? ScalarType.Float16 : ScalarType.BFloat16;
    }
}
