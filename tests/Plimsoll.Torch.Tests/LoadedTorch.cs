using System.Runtime.CompilerServices;
using Plimsoll.Torch.Native;
using TorchSharp;

namespace Plimsoll.Torch.Tests;

internal static class LoadedTorch
{
    /// <summary>Before any test: TorchSharp must not look for libtorch by itself. One thread: the tensors of tests are small.</summary>
    [ModuleInitializer]
    internal static void Load()
    {
        TorchLibrary.Load();
        torch.set_num_threads(1);
    }
}
