using System.Globalization;
using TorchSharp;

namespace Plimsoll.Torch.Native;

/// <summary>Whether libtorch works here, in one line.</summary>
internal static class TorchCheck
{
    public static string Describe()
    {
        using var scope = torch.NewDisposeScope();
        var sum = torch.ones(2, 2).mm(torch.ones(2, 2)).sum().item<float>();
        var cuda = torch.cuda.is_available() ? string.Create(CultureInfo.InvariantCulture, $"{torch.cuda.device_count()} CUDA devices") : "CPU only";
        return sum == 8 ? $"libtorch {TorchLibrary.Version}, TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)}, {cuda}, {torch.get_num_threads()} threads" : throw new TorchUnavailableException($"libtorch computes 2 x 2 ones times 2 x 2 ones as a matrix of sum {sum}, not 8", null);
    }
}
