namespace Plimsoll.Quantization;

/// <summary>What was asked for cannot be made from this model; the message says why and what can be done instead.</summary>
public sealed class QuantizationRefusedException(string message) : Exception(message);
