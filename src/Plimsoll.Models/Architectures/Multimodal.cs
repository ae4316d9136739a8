using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Architectures;

/// <summary>Checkpoints that wrap a language model with a vision tower: Gemma 3 and 4, LLaVA, Mistral 3, Llama 4, Kimi K2.5.</summary>
internal static class Multimodal
{
    public static DecoderFacts WriteGemma3(ArchitectureContext context)
    {
        var facts = Gemma.WriteGemma3(Inner(context, "language_model.model.", "language_model.lm_head", "gemma3_text"));
        Tower(context, vision =>
        {
            VisionTowers.WriteSiglip(context.Builder, vision, "vision_tower.vision_model.");
            long width = vision.Width("hidden_size");
            context.Builder.Tensor("multi_modal_projector.mm_input_projection_weight", TensorRole.Tower, width, facts.Hidden);
            context.Builder.Norm("multi_modal_projector.mm_soft_emb_norm", width);
        });
        return facts;
    }

    public static DecoderFacts WriteGemma3n(ArchitectureContext context)
    {
        context.Builder.Note("The vision and audio towers (about 1.0 billion parameters) are not counted.", Confidence.Medium);
        return Gemma3n.Write(Inner(context, "model.language_model.", "lm_head", "gemma3n_text"));
    }

    public static DecoderFacts WriteGemma4(ArchitectureContext context)
    {
        var facts = Gemma4.Write(Inner(context, "model.language_model.", "lm_head", "gemma4_text"));
        Tower(context, vision =>
        {
            VisionTowers.WriteGemma4(context.Builder, vision, "model.vision_tower.");
            context.Builder.Linear("model.embed_vision.embedding_projection", facts.Hidden, vision.Width("hidden_size", 768), TensorRole.Tower);
        });
        if (context.Config.Nested("audio_config") is not null)
            context.Builder.Note("The audio tower is not counted.", Confidence.Medium);
        return facts;
    }

    /// <summary>LLaVA and its kin: CLIP, SigLIP or Pixtral, and a projector of two layers.</summary>
    public static DecoderFacts WriteLlava(ArchitectureContext context)
    {
        var inner = Inner(context, "language_model.model.", "language_model.lm_head", "llama");
        var facts = Language(inner);
        Tower(context, vision =>
        {
            var width = WriteTower(context, vision);
            var bias = context.Config.Flag("multimodal_projector_bias", true);
            context.Builder.Linear("multi_modal_projector.linear_1", facts.Hidden, width, TensorRole.Tower, bias);
            context.Builder.Linear("multi_modal_projector.linear_2", facts.Hidden, facts.Hidden, TensorRole.Tower, bias);
        });
        return facts;
    }

    /// <summary>Mistral Small 3.1 and later, Ministral 3: Pixtral, patches merged two by two, a projector.</summary>
    public static DecoderFacts WriteMistral3(ArchitectureContext context)
    {
        var facts = Language(Inner(context, "language_model.model.", "language_model.lm_head", "mistral"));
        Tower(context, vision =>
        {
            var width = WriteTower(context, vision);
            long merge = context.Config.Count("spatial_merge_size", 2);
            var bias = context.Config.Flag("multimodal_projector_bias", false);
            context.Builder.Norm("multi_modal_projector.norm", width);
            context.Builder.Linear("multi_modal_projector.patch_merger.merging_layer", width, width * merge * merge, TensorRole.Tower);
            context.Builder.Linear("multi_modal_projector.linear_1", facts.Hidden, width, TensorRole.Tower, bias);
            context.Builder.Linear("multi_modal_projector.linear_2", facts.Hidden, facts.Hidden, TensorRole.Tower, bias);
        });
        return facts;
    }

    /// <summary>Ministral 3 alone is Llama; with a vision tower around it the outer configuration carries the same model type.</summary>
    public static DecoderFacts WriteMinistral3(ArchitectureContext context) =>
        context.Config.Nested("text_config") is null ? Llama.WriteMistral(context) : WriteMistral3(context);

    public static DecoderFacts WriteLlama4(ArchitectureContext context)
    {
        var facts = Llama4.Write(Inner(context, "language_model.model.", "language_model.lm_head", "llama4_text"));
        Tower(context, vision =>
        {
            VisionTowers.WriteLlama4(context.Builder, vision, "vision_model.");
            context.Builder.Linear("multi_modal_projector.linear_1", facts.Hidden, vision.Width("vision_output_dim", 7680), TensorRole.Tower);
        });
        return facts;
    }

    /// <summary>Kimi K2.5 and later: K2 with the MoonViT tower, which is planned without its position table's exact form.</summary>
    public static DecoderFacts WriteKimi(ArchitectureContext context)
    {
        var inner = Inner(context, "language_model.model.", "language_model.lm_head", "kimi_k2");
        var facts = Language(inner);
        if (context.Config.Nested("vision_config") is not null)
            context.Builder.Note("The vision tower (about 0.4 billion parameters) is not counted.", Confidence.Medium);
        return facts;
    }

    /// <summary>InternVL, Idefics 3, SmolVLM and others whose tower was not verified: the language model alone.</summary>
    public static DecoderFacts WriteLanguageOnly(ArchitectureContext context)
    {
        var config = context.Config.Nested("text_config") ?? context.Config.Nested("llm_config") ?? throw context.Config.Missing("text_config", "llm_config");
        context.Builder.Note($"Only the language model of '{context.ModelType}' is counted, not its vision tower and projector.", Confidence.Low);
        return Language(context with
        {
            ModelType = config.Text("model_type") ?? "llama",
            Config = config,
            Outer = context.Config,
            TrunkPrefix = "language_model.model.",
            HeadName = "language_model.lm_head",
        });
    }

    private static DecoderFacts Language(ArchitectureContext inner) => ArchitectureTable.Find(inner.ModelType) is { } write
        ? write(inner)
        : throw new UnknownArchitectureException(inner.ModelType, "it is the language part of a multimodal model and not known", ModelTypes.Nearest(inner.ModelType));

    private static ArchitectureContext Inner(ArchitectureContext context, string trunk, string head, string modelType)
    {
        var config = context.Config.Nested("text_config") ?? context.Config;
        return context with
        {
            ModelType = config == context.Config ? modelType : config.Text("model_type") ?? modelType,
            Config = config,
            Outer = context.Config,
            TrunkPrefix = trunk,
            HeadName = head,
        };
    }

    private static void Tower(ArchitectureContext context, Action<ConfigReader> write)
    {
        if (context.Config.Nested("vision_config") is not { } vision)
        {
            context.Builder.Note("The configuration has no vision_config; a vision tower is not counted.");
            return;
        }
        context.Builder.AllAs(TensorRole.Tower);
        write(vision);
        context.Builder.AllAs(null);
    }

    /// <summary>The tower by its model type; returns the width of its output.</summary>
    private static long WriteTower(ArchitectureContext context, ConfigReader vision)
    {
        switch (vision.Text("model_type"))
        {
            case "clip_vision_model" or null:
                VisionTowers.WriteClip(context.Builder, vision, "vision_tower.vision_model.");
                break;
            case "siglip_vision_model":
                VisionTowers.WriteSiglip(context.Builder, vision, "vision_tower.vision_model.");
                break;
            case "pixtral":
                VisionTowers.WritePixtral(context.Builder, vision, "vision_tower.");
                break;
            case var other:
                context.Builder.Note($"The vision tower '{other}' is not known and not counted.", Confidence.Low);
                break;
        }
        return vision.Width("hidden_size", 1024);
    }
}
