namespace Spillway;

/// <summary>
/// A call of the library failed, with its reason, place and message. Cancelled calls throw
/// <see cref="OperationCanceledException"/>, calls on a closed store or
/// file <see cref="ObjectDisposedException"/> (but for an add that was admitted before:
/// <see cref="AdmittedSequence"/>), and arguments that never reach the library
/// <see cref="ArgumentException"/> instead.
/// </summary>
public sealed class SpillwayException : Exception
{
    internal SpillwayException(
        string message, SpillwayStatus status, int osCode, int detailCode, long recordIndex)
        : base(message)
    {
        Status = status;
        OsCode = osCode;
        DetailCode = detailCode;
        RecordIndex = recordIndex;
    }

    /// <summary>Why it failed.</summary>
    public SpillwayStatus Status { get; }

    /// <summary>errno of the system call that failed; 0 where there is none.</summary>
    public int OsCode { get; }

    /// <summary>Extended code of SQLite; 0 where there is none.</summary>
    public int DetailCode { get; }

    /// <summary>Index in the batch or list of the caller that is to blame; -1: none.</summary>
    public long RecordIndex { get; }

    /// <summary>The first record of an add that was admitted and yet failed, as only a
    /// <see cref="StoreOptions.SyncInterval"/> of zero lets happen: the batch is there, and not
    /// durable. null: nothing was added.</summary>
    public ulong? AdmittedSequence { get; internal init; }
}
