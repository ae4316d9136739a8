namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Why the hub did not give what was asked for.</summary>
public enum HubFailure
{
    /// <summary>No such repository, or a private one that the token may not see: the hub does not tell them apart.</summary>
    RepositoryNotFound,

    RevisionNotFound,

    FileNotFound,

    /// <summary>The model's terms have to be accepted on its page first.</summary>
    Gated,

    /// <summary>The token is not accepted, or lacks the permission.</summary>
    Unauthorized,

    /// <summary>No network, or none wanted, and nothing in the cache.</summary>
    Offline,

    /// <summary>The hub answers, but not usefully: overloaded, broken, not a hub.</summary>
    Unavailable,

    /// <summary>A setting such as <c>HF_ENDPOINT</c> makes no sense.</summary>
    Settings,
}

/// <summary>The hub did not give what was asked for. The message names it, <see cref="Hint"/> says what to do.</summary>
public sealed class HubException(HubFailure kind, string message, string? hint = null, Exception? inner = null) : Exception(message, inner)
{
    public HubFailure Kind { get; } = kind;

    /// <summary>The next step for the user.</summary>
    public string? Hint { get; } = hint;

    /// <summary>The user named something that is not there, or set something that makes no sense; otherwise the environment lacks something.</summary>
    public bool IsWrongUsage => Kind is HubFailure.RepositoryNotFound or HubFailure.RevisionNotFound or HubFailure.FileNotFound or HubFailure.Settings;

    /// <summary>Trying again later, or reading the cache, may help; the hub did not say no.</summary>
    public bool IsOutage => Kind is HubFailure.Offline or HubFailure.Unavailable;

    /// <summary>The commit that was looked at when a file is not in it, as the hub tells it.</summary>
    internal string? Commit { get; init; }
}
