using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Many named blocks (byte strings) in one crash-safe file. A change is visible at once, to every
/// thread, and durable after the next <see cref="Flush"/> to the device, durable commit or close.
/// After a crash or power cut the file holds all that was durable, and of later changes all up to
/// some point in their order, or none; a call's or a transaction's changes are there together or
/// not at all. All members may be used by many threads at once.
/// </summary>
/// <remarks>
/// <para>Dispose it. <see cref="Close"/> and <see cref="Dispose"/> make everything durable, and say
/// so if they cannot; a file that is only dropped loses what was not, as in a crash
/// (<see cref="SpillwayLibrary.LeakedFiles"/>), for finalizers never do I/O.</para>
/// <para>Once closed, every method here and on its transactions, snapshots, lists and streams
/// throws <see cref="ObjectDisposedException"/>. A <see cref="Blob"/> stays readable. They may be
/// disposed in any order.</para>
/// <para>A store's file (<see cref="Store.OpenFile"/>) is closed by the store, and disposing it
/// closes nothing.</para>
/// </remarks>
public sealed unsafe partial class BlockFile : WritableBlocks, IDisposable, IAsyncDisposable
{
    private readonly FileHandle _handle;
    private readonly Store? _store; // Whose file it is, if it is one's: kept from being collected.
    private int _disposed;

    internal BlockFile(FileHandle handle, Store? store = null) : base(handle, null)
    {
        _handle = handle;
        _store = store;
    }

    /// <summary>Opens or creates the block file at a path; a new one gets mode 0600.</summary>
    /// <param name="path">Where the file is; text or the bytes that the operating system knows.
    /// </param>
    /// <param name="options">Not kept.</param>
    /// <param name="operation">Watches or cancels the replay of a journal.</param>
    /// <param name="cancellationToken">Cancels it too.</param>
    /// <exception cref="SpillwayException">NotFound, AlreadyExists:
    /// <see cref="BlockFileOptions.Open"/>; NotFound also for a folder that is not there. Busy: open
    /// elsewhere, in this process or another. Corrupt: damaged, or no block file. Unsupported: made
    /// by a later version, or an unknown option. ReadOnly, Full, IO: the disk.</exception>
    /// <exception cref="ArgumentException">The path is empty, has a NUL or an unpaired surrogate.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static BlockFile Open(
        Utf8Text path, BlockFileOptions? options = null, Operation? operation = null,
        CancellationToken cancellationToken = default)
    {
        ReadOnlySpan<byte> bytes = path.Bytes(stackalloc byte[Utf8Text.Room], nameof(path));
        NativeText.RefuseBadPath(bytes);
        LibraryLoader.Ensure();
        FileHandle handle = new();
        BlockFile file = new(handle);
        using OptionsHandle? bag = options?.ToNative();
        using CancellableCall call = new(cancellationToken, operation);
        nint raw, error;
        fixed (byte* name = bytes)
        {
            int status = spw_file_open(
                name, (nuint)bytes.Length, bag?.DangerousGetHandle() ?? 0, call.Op, &raw, &error);
            NativeError.Check(status, error, cancellationToken);
        }
        handle.Adopt(raw);
        return file;
    }

    /// <summary>
    /// Makes everything durable, brings the registry up to date and closes the file. Every other
    /// call, running or later, ends with <see cref="ObjectDisposedException"/>; transactions that
    /// are not committed are rolled back. Closing a closed file does nothing.
    /// </summary>
    /// <param name="mode">Discard: closes at once, as a crash would.</param>
    /// <exception cref="SpillwayException">Full: the file stays open, and Close can be called
    /// again. InvalidState: it is a store's, which closes it. Any other status closes; IO and
    /// Corrupt then mean that changes after the last successful flush may be lost.</exception>
    public void Close(CloseMode mode = CloseMode.Flush)
    {
        if (_handle.IsDisposed)
        {
            return;
        }
        using HandleLease lease = _handle.Lease(this);
        nint error;
        NativeError.Check(spw_file_close(lease.Value, (uint)mode, &error), error);
    }

    /// <summary>
    /// Closes the file if that was not done and it is no store's, waiting as long as it takes, and
    /// gives up the handle in any case. It throws if the last flush fails: silence would be loss.
    /// Call <see cref="Close"/> first to be able to try again. Any number of times, on any thread.
    /// </summary>
    /// <exception cref="SpillwayException">As <see cref="Close"/>; what is not on the device is
    /// lost.</exception>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        try
        {
            if (_store == null)
            {
                Close();
            }
        }
        finally
        {
            _handle.Dispose();
        }
    }

    /// <summary>Returns when everything that was changed before the call, by any thread, is as safe
    /// as <paramref name="level"/> says. At once if the file was opened for reading.</summary>
    /// <param name="level">How safe.</param>
    /// <exception cref="SpillwayException">Full: nothing is lost, it can be called again. IO,
    /// Corrupt: writing has ended.</exception>
    public void Flush(FlushLevel level = FlushLevel.Device)
    {
        using HandleLease lease = _handle.Lease(this);
        nint error;
        NativeError.Check(spw_file_flush(lease.Value, (int)level, &error), error);
    }

    /// <summary>Begins a transaction: it sees the file as it is now and its own changes, whatever
    /// others commit; nobody else sees its changes until it is committed. <c>using</c> rolls it
    /// back if that was not done.</summary>
    /// <returns>The caller commits and disposes it.</returns>
    /// <exception cref="SpillwayException">ReadOnly: the file was opened for reading; take a
    /// snapshot.</exception>
    public BlockTransaction BeginTransaction() => new(this, _handle, Begin(0));

    /// <summary>The file as it is now, whatever becomes of it. Takes no memory, but keeps the space
    /// of what is replaced meanwhile.</summary>
    /// <returns>The caller disposes it.</returns>
    public BlockSnapshot BeginSnapshot() =>
        new(this, _handle, Begin(Constants.SPW_TXN_READ_ONLY));

    private TransactionHandle Begin(uint flags)
    {
        TransactionHandle transaction = new();
        using HandleLease lease = _handle.Lease(this);
        nint raw, error;
        NativeError.Check(spw_txn_begin(lease.Value, flags, &raw, &error), error);
        transaction.Adopt(raw);
        return transaction;
    }
}
