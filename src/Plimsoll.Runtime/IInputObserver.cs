namespace Plimsoll.Runtime;

/// <summary>Sees what every linear layer is given, while a model runs: what calibration counts.</summary>
public interface IInputObserver
{
    /// <summary>Whether nothing more is wanted of the layer at work: it ends early then, without outputs.</summary>
    bool IsSatisfied => false;

    /// <summary>Called before each product, on the thread that runs the model.</summary>
    /// <param name="tensor">The weight as the checkpoint names it: <c>blk.0.attn_q.weight</c>, <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
    /// <param name="expert">Which matrix of a stacked tensor of experts; 0 for any other tensor.</param>
    /// <param name="inputs">(count, columns), row-major. Only valid during the call.</param>
    void Observe(string tensor, int expert, ReadOnlySpan<float> inputs, int columns);
}
