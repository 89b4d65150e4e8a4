using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Changes that become visible together or not at all (<see cref="BlockFile.BeginTransaction"/>):
/// <c>using BlockTransaction save = file.BeginTransaction(); save.Put(...); save.Commit();</c>. It
/// reads the file as it was when it began, with its own changes. Nobody waits for a transaction.
/// Any thread.
/// </summary>
public sealed unsafe class BlockTransaction : WritableBlocks, IDisposable
{
    private readonly TransactionHandle _handle;

    internal BlockTransaction(BlockFile file, FileHandle fileHandle, TransactionHandle handle)
        : base(fileHandle, handle)
    {
        File = file;
        _handle = handle;
    }

    /// <summary>The file it is of.</summary>
    public BlockFile File { get; }

    /// <summary>Makes the changes visible, all at once. Whatever becomes of it, the transaction can
    /// only be disposed afterwards; everything else is InvalidState.</summary>
    /// <param name="level">How safe they are when it returns.</param>
    /// <exception cref="SpillwayException">Conflict: a block that it changed was changed by somebody
    /// else since it began; nothing happened. InvalidState: it was committed before. Full, IO: if
    /// they became visible, they may be lost in a crash.</exception>
    public void Commit(CommitLevel level = CommitLevel.Device)
    {
        using HandleLease lease = _handle.Lease(this);
        nint error;
        NativeError.Check(spw_txn_commit(lease.Value, (int)level, &error), error);
    }

    /// <summary>As <see cref="Commit"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Commit"/>
    public Task CommitAsync(CommitLevel level = CommitLevel.Device) =>
        Blocking.Run(() => Commit(level), default);

    /// <summary>For a call that commits it in another way.</summary>
    internal HandleLease LeaseHandle() => _handle.Lease(this);

    /// <summary>Rolls back what was not committed. Any number of times, on any thread, before or
    /// after its file.</summary>
    public void Dispose() => _handle.Dispose();
}

/// <summary>
/// A file as it was at one moment (<see cref="BlockFile.BeginSnapshot"/>), whatever was changed
/// since. Any thread, many at once.
/// </summary>
public sealed class BlockSnapshot : ReadableBlocks, IDisposable
{
    private readonly TransactionHandle _handle;

    internal BlockSnapshot(BlockFile file, FileHandle fileHandle, TransactionHandle handle)
        : base(fileHandle, handle)
    {
        File = file;
        _handle = handle;
    }

    /// <summary>The file it is of.</summary>
    public BlockFile File { get; }

    /// <summary>Ends it, so that the space of what was replaced comes free. Any number of times, on
    /// any thread, before or after its file.</summary>
    public void Dispose() => _handle.Dispose();
}
