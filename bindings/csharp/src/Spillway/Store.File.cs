using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <content>The block file that a store's records are in, for blocks of the application's own.
/// </content>
public sealed unsafe partial class Store
{
    /// <summary>
    /// The block file that the records are in, for blocks of the application's own. It is the
    /// store's: with the store it is closed, and <see cref="BlockFile.Close"/> is InvalidState.
    /// Names that begin with <c>.spillway/</c> are the store's too: they are listed and can be
    /// read, and to change them is InvalidArgument. Its options are the library's: 4 MiB each of
    /// changes that wait and of cached blocks, on top of the store's budget.
    /// </summary>
    /// <returns>A handle of its own for each call. The caller disposes it, which closes nothing, in
    /// any order; it keeps the store from being collected.</returns>
    /// <exception cref="SpillwayException">Unsupported: a store in memory, or one with another cold
    /// tier.</exception>
    public BlockFile OpenFile()
    {
        FileHandle handle = new();
        BlockFile file = new(handle, this);
        using HandleLease lease = Lease();
        nint raw, error;
        NativeError.Check(spw_store_file(lease.Value, &raw, &error), error);
        handle.Adopt(raw);
        return file;
    }

    /// <summary>
    /// Commits a transaction of the store's file together with a flush of the store, with one
    /// barrier for both: when it returns, the transaction and everything admitted before the call,
    /// by any thread, are as safe as <paramref name="level"/> says. After a crash at any time, if
    /// the transaction is there, so are those records.
    /// </summary>
    /// <param name="transaction">Begun by a file of <see cref="OpenFile"/>. Once committed, it can
    /// only be disposed.</param>
    /// <param name="level">How safe.</param>
    /// <param name="timeout">How long the flush may take; null: the store's default. Zero:
    /// WouldBlock if there is something to write.</param>
    /// <param name="operation">Watches (records) or cancels the flush.</param>
    /// <param name="cancellationToken">Cancels the flush; the writing goes on in the background.
    /// </param>
    /// <exception cref="SpillwayException">The flush comes first and can fail as
    /// <see cref="Flush"/> does: the transaction is then as it was, and Commit can be called again.
    /// After that as <see cref="BlockTransaction.Commit"/>: Conflict, InvalidState. InvalidArgument:
    /// a transaction of another file. Unsupported: a store without a block file.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the transaction is as it was.
    /// </exception>
    public void Commit(
        BlockTransaction transaction, FlushLevel level = FlushLevel.Device,
        TimeSpan? timeout = null, Operation? operation = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        using HandleLease lease = Lease();
        using HandleLease changes = transaction.LeaseHandle();
        using CancellableCall call = new(cancellationToken, operation);
        nint error;
        int status = spw_store_commit(
            lease.Value, changes.Value, (int)level, NativeText.Milliseconds(timeout), call.Op,
            &error);
        NativeError.Check(status, error, cancellationToken);
    }
}
