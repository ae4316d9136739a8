using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>The memory behaviour of one engine: formulas over a request, constants from its profile.</summary>
internal interface IEnginePlanner
{
    MemoryPlan Plan(InferenceRequest request);
}
