namespace Spillway;

/// <summary>Why a call failed. The values are those of the C header and never change; a later
/// library may answer with new ones: treat these as <see cref="Internal"/>.</summary>
public enum SpillwayStatus
{
    /// <summary>It did not fail.</summary>
    Ok = 0,
    /// <summary>The caller's mistake; nothing happened.</summary>
    InvalidArgument = 1,
    /// <summary>The right call at the wrong time: a cursor used by two threads at once, or without
    /// a current view; a transaction that was committed.</summary>
    InvalidState = 2,
    /// <summary>An allocation failed; nothing happened.</summary>
    NoMemory = 3,
    /// <summary>No such store, stream, record, file or block.</summary>
    NotFound = 4,
    /// <summary>There is one already, and the call asked for a new one.</summary>
    AlreadyExists = 5,
    /// <summary>Another handle or process has it open.</summary>
    Busy = 6,
    /// <summary>It would have to wait, and was told not to.</summary>
    WouldBlock = 7,
    /// <summary>The given time is over.</summary>
    Timeout = 8,
    /// <summary>Cancelled; thrown as <see cref="OperationCanceledException"/>.</summary>
    Cancelled = 9,
    /// <summary>The store or file is closed; thrown as <see cref="ObjectDisposedException"/>.</summary>
    Closed = 10,
    /// <summary>The disk or its quota is full; try again when there is room.</summary>
    Full = 11,
    /// <summary>Larger than a limit or than the caller's buffer.</summary>
    TooBig = 12,
    /// <summary>The store, the file or its disk cannot be written.</summary>
    ReadOnly = 13,
    /// <summary>The operating system failed; see <see cref="SpillwayException.OsCode"/>.</summary>
    IO = 14,
    /// <summary>Bytes on disk are damaged; nothing was repaired or deleted.</summary>
    Corrupt = 15,
    /// <summary>The records were dropped on request (<see cref="RecordStream.Clear"/>,
    /// <see cref="RecordStream.Trim"/> and its kin).</summary>
    Trimmed = 16,
    /// <summary>Unknown option or feature of this version, or not for this kind of store.</summary>
    Unsupported = 17,
    /// <summary>Called in a child process of the one that opened the store.</summary>
    Forked = 18,
    /// <summary>A defect of the library.</summary>
    Internal = 19,
    /// <summary>A block is not of the version that was expected: somebody else changed it.
    /// </summary>
    Conflict = 20,
}
