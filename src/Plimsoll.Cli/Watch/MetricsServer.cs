using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Plimsoll.Cli.Watch;

/// <summary>Answers every request on a port of this machine with one text: all that a scrape needs of HTTP.</summary>
internal sealed class MetricsServer : IDisposable
{
    /// <summary>A scrape asks in a few hundred bytes.</summary>
    private const int LongestRequest = 8192;

    private readonly TcpListener listener;
    private readonly Func<string> body;
    private readonly CancellationTokenSource end = new();
    private readonly Task serving;

    private MetricsServer(TcpListener listener, Func<string> body)
    {
        (this.listener, this.body) = (listener, body);
        serving = Task.Run(ServeAsync);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <param name="address"><c>:9400</c> or <c>9400</c>; 0 takes any free port.</param>
    public static MetricsServer Start(string address, Func<string> body)
    {
        if (!ushort.TryParse(address.TrimStart(':'), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            throw CliException.WrongUsage($"--export {address}: a port is expected, such as :9400", "it is served on 127.0.0.1 only");
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
        }
        catch (SocketException failure)
        {
            listener.Dispose();
            throw CliException.Environment($"port {port} of 127.0.0.1 cannot be served: {failure.Message}", "choose another: --export :9401");
        }
        return new(listener, body);
    }

    public void Dispose()
    {
        end.Cancel();
        listener.Stop();
        serving.GetAwaiter().GetResult();
        listener.Dispose();
        end.Dispose();
    }

    /// <summary>One at a time: a scrape is answered in microseconds.</summary>
    private async Task ServeAsync()
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(end.Token).ConfigureAwait(false);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
                patience.CancelAfter(TimeSpan.FromSeconds(5));
                await AnswerAsync(client.GetStream(), patience.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
            {
                // Whoever asked has gone, or the watch ends.
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var request = new byte[LongestRequest];
        var length = 0;
        while (length < request.Length && request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            var read = await stream.ReadAsync(request.AsMemory(length), cancellation).ConfigureAwait(false);
            if (read == 0)
                return;
            length += read;
        }
        var isScrape = request.AsSpan(0, length).StartsWith("GET "u8);
        var content = Encoding.UTF8.GetBytes(isScrape ? body() : "");
        var status = isScrape ? "200 OK" : "405 Method Not Allowed";
        var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {content.Length}\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellation).ConfigureAwait(false);
        await stream.WriteAsync(content, cancellation).ConfigureAwait(false);
    }
}
