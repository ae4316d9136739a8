using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Checkpoints.Tests.Gguf;

/// <summary>Fuzz inputs with the verdict of llama.cpp's own loader.</summary>
public class GgufFuzzCorpusTests
{
    [Fact]
    public void What_llama_cpp_accepts_is_accepted_and_what_it_refuses_is_refused()
    {
        var folder = SharedData.Require("malformed/gguf-fuzz");
        var verdicts = File.ReadAllLines(SharedData.Require("malformed/gguf-fuzz.llamacpp_verdict.txt")).Select(line => line.Split('|', 4)).ToList();
        Assert.Equal(123, verdicts.Count);

        var differences = verdicts.Where(verdict => Accepts(Path.Combine(folder, verdict[1])) != (verdict[0] == "0")).Select(verdict => $"{verdict[1]}: {verdict[3]}");

        Assert.Empty(differences);
    }

    private static bool Accepts(string path)
    {
        try
        {
            GgufReader.ReadHeader(path);
            return true;
        }
        catch (CheckpointFormatException)
        {
            return false;
        }
    }
}
