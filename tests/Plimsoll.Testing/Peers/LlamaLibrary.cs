using System.Runtime.InteropServices;
using System.Text;

namespace Plimsoll.Testing.Peers;

/// <summary>libllama of llama.cpp v0.5.0, loaded once, and what it logged last.</summary>
internal static unsafe class LlamaLibrary
{
    private static readonly Lazy<nint> Library = new(Load);
    private static readonly StringBuilder Log = new();

    public static nint Export(string name) => NativeLibrary.GetExport(Library.Value, name);

    /// <summary>The warnings and errors since the last call.</summary>
    public static string TakeLog()
    {
        lock (Log)
        {
            var text = Log.ToString().Trim();
            Log.Clear();
            return text;
        }
    }

    private static nint Load()
    {
        var folder = LlamaCppPeer.Require();
        var ggml = NativeLibrary.Load(Path.Combine(folder, "libggml.v0.5.0.so"));
        var library = NativeLibrary.Load(Path.Combine(folder, "libllama.v0.5.0.so"));
        ((delegate* unmanaged<delegate* unmanaged<int, byte*, void*, void>, void*, void>)NativeLibrary.GetExport(library, "llama_log_set"))(&Write, null);
        fixed (byte* path = Encoding.UTF8.GetBytes(folder + '\0'))
            ((delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(ggml, "ggml_backend_load_all_from_path"))(path);
        ((delegate* unmanaged<void>)NativeLibrary.GetExport(library, "llama_backend_init"))();
        return library;
    }

    /// <summary>Levels: 1 debug, 2 information, 3 warning, 4 error.</summary>
    [UnmanagedCallersOnly]
    private static void Write(int level, byte* text, void* data)
    {
        if (level < 3)
            return;
        lock (Log)
            Log.Append(Marshal.PtrToStringUTF8((nint)text));
    }
}
