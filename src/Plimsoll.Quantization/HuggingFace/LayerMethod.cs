namespace Plimsoll.Quantization.HuggingFace;

/// <summary>How the integers of linear layers are chosen.</summary>
public enum LayerMethod
{
    /// <summary>Rounded to nearest, without data.</summary>
    Nearest,

    /// <summary>GPTQ: later columns make up for the errors of earlier ones.</summary>
    Gptq,

    /// <summary>AWQ: columns are rescaled and ranges cut so that outputs change least.</summary>
    Awq,

    /// <summary>The scales of AWQ, then GPTQ.</summary>
    AwqGptq,

    /// <summary>SmoothQuant: outliers are taken out of activations that become bytes, then rounded to nearest.</summary>
    SmoothQuant,
}
