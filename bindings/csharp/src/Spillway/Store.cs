using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Streams of records under one memory budget: appended in memory, spilled to the cold tier in the
/// background, read back in order. All members may be used by many threads at once.
/// </summary>
/// <remarks>
/// <para>Dispose it. <see cref="Close"/> and <see cref="Dispose"/> make everything durable, and say
/// so if they cannot; a store that is only dropped loses what is not on the device, as in a crash
/// (<see cref="SpillwayLibrary.LeakedStores"/>), for finalizers never do I/O.</para>
/// <para>Once closed, every method here and on its streams and cursors throws
/// <see cref="ObjectDisposedException"/>, calls that wait at that time too. An
/// <see cref="OwnedBatch"/> stays readable. Stores, cursors and batches may be disposed in any
/// order.</para>
/// </remarks>
public sealed unsafe partial class Store : IDisposable, IAsyncDisposable
{
    private readonly StoreHandle _handle = new();
    private int _disposed;

    private Store() { }

    /// <summary>Opens or creates the store at a path. Files get mode 0600; beside a store with
    /// <see cref="ColdTier.Sqlite"/> stands <c>path-lock</c>.</summary>
    /// <param name="path">Where the store is. For a path that is no Unicode there is the overload
    /// that takes bytes.</param>
    /// <param name="options">Not kept.</param>
    /// <param name="operation">Watches or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="SpillwayException">NotFound, AlreadyExists:
    /// <see cref="StoreOptions.Open"/>; NotFound also for a block file without a store in it where
    /// there must be one. Busy: open elsewhere, in this process or another. Corrupt:
    /// damaged, or no store. Unsupported: made by a later version, or an unknown option. ReadOnly,
    /// Full, IO: the disk.</exception>
    /// <exception cref="ArgumentException">The path is empty, has a NUL or an unpaired surrogate.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Store Open(
        string path, StoreOptions? options = null, Operation? operation = null,
        CancellationToken cancellationToken = default) =>
        OpenCore(NativeText.Path(path), options, operation, cancellationToken);

    /// <summary>As the overload that takes a string, with a path as the bytes that the operating
    /// system knows.</summary>
    /// <inheritdoc cref="Open(string, StoreOptions?, Operation?, CancellationToken)"/>
    public static Store Open(
        ReadOnlySpan<byte> path, StoreOptions? options = null, Operation? operation = null,
        CancellationToken cancellationToken = default)
    {
        NativeText.RefuseBadPath(path);
        return OpenCore(path, options, operation, cancellationToken);
    }

    /// <summary>A store in memory only, bounded by its budget: nothing spills, and it is gone when
    /// it is closed.</summary>
    /// <param name="options">Not kept.</param>
    /// <exception cref="SpillwayException">InvalidArgument, Unsupported: an option.</exception>
    public static Store OpenInMemory(StoreOptions? options = null) =>
        OpenCore(default, options, null, default);

    private static Store OpenCore(
        ReadOnlySpan<byte> path, StoreOptions? options, Operation? operation,
        CancellationToken cancellationToken)
    {
        LibraryLoader.Ensure();
        Store store = new();
        using OptionsHandle? bag = options?.ToNative();
        using CancellableCall call = new(cancellationToken, operation);
        nint raw, error;
        fixed (byte* name = path)
        {
            int status = spw_store_open(
                name, (nuint)path.Length, bag?.DangerousGetHandle() ?? 0, call.Op, &raw, &error);
            NativeError.Check(status, error, cancellationToken);
        }
        store._handle.Adopt(raw);
        return store;
    }

    /// <summary>
    /// Makes everything admitted durable, as <see cref="Flush"/> to the device does, closes the
    /// files and ends the store's threads. Every other call, running or later, ends with
    /// <see cref="ObjectDisposedException"/>. Closing a closed store does nothing.
    /// </summary>
    /// <param name="mode">Discard: gives up what is not on the device yet.</param>
    /// <param name="timeout">How long it may take; null: the store's default. Zero: WouldBlock if
    /// there is something to write.</param>
    /// <param name="operation">Watches (records) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="SpillwayException">Timeout, WouldBlock, Full, Busy, NoMemory: the store
    /// stays open, and Close can be called again. Any other status closes; IO and Corrupt then mean
    /// that records admitted after the last successful flush may be lost.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the store stays open.
    /// </exception>
    public void Close(
        CloseMode mode = CloseMode.Flush, TimeSpan? timeout = null,
        Operation? operation = null, CancellationToken cancellationToken = default)
    {
        if (_handle.IsDisposed)
        {
            return;
        }
        using HandleLease lease = Lease();
        using CancellableCall call = new(cancellationToken, operation);
        nint error;
        int status = spw_store_close(
            lease.Value, (uint)mode, NativeText.Milliseconds(timeout), call.Op, &error);
        NativeError.Check(status, error, cancellationToken);
    }

    /// <summary>
    /// Closes the store if that was not done, waiting as long as it takes, and gives up the handle
    /// in any case. Like a file stream it throws if the last flush fails: silence would be loss.
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
            Close(CloseMode.Flush, Timeout.InfiniteTimeSpan);
        }
        finally
        {
            _handle.Dispose();
        }
    }

    /// <summary>Opens a stream by its name.</summary>
    /// <param name="name">1 to <see cref="Limits.StreamNameBytesMax"/> bytes of UTF-8.</param>
    /// <param name="options">Not kept.</param>
    /// <param name="mode">A new stream is durable with the next flush.</param>
    /// <exception cref="SpillwayException">NotFound, AlreadyExists: see
    /// <paramref name="mode"/>. TooBig: the name is too long, or there are more than
    /// <see cref="Limits.StreamsMax"/> streams. InvalidArgument: the name is empty, or a fixed
    /// option differs from the stream's.</exception>
    /// <exception cref="ArgumentException">The name has an unpaired surrogate.</exception>
    public RecordStream OpenStream(
        string name, StreamOptions? options = null, StreamMode mode = StreamMode.OpenOrCreate) =>
        OpenStream(NativeText.Utf8(name, nameof(name)), options, mode);

    /// <summary>As the overload that takes a string, with a name as bytes, which need not be valid
    /// UTF-8.</summary>
    /// <inheritdoc cref="OpenStream(string, StreamOptions?, StreamMode)"/>
    public RecordStream OpenStream(
        ReadOnlySpan<byte> name, StreamOptions? options = null,
        StreamMode mode = StreamMode.OpenOrCreate)
    {
        using HandleLease lease = Lease();
        using OptionsHandle? bag = options?.ToNative();
        uint id;
        nint error;
        fixed (byte* bytes = name)
        {
            int status = spw_store_stream(
                lease.Value, bytes, (nuint)name.Length, bag?.DangerousGetHandle() ?? 0, (uint)mode,
                &id, &error);
            NativeError.Check(status, error);
        }
        return new RecordStream(this, id, name.ToArray());
    }

    /// <summary>All streams in the order of their creation.</summary>
    public IReadOnlyList<RecordStream> GetStreams()
    {
        uint[] ids = [];
        nuint count = 0;
        using HandleLease lease = Lease();
        do
        {
            ids = new uint[(int)count];
            nint error;
            fixed (uint* first = ids)
            {
                int status = spw_store_streams(
                    lease.Value, first, (nuint)ids.Length, &count, &error);
                NativeError.Check(status, error);
            }
        }
        while (count > (nuint)ids.Length); // The first round counts; others may add meanwhile.
        RecordStream[] streams = new RecordStream[(int)count];
        for (int i = 0; i < streams.Length; i++)
        {
            streams[i] = new RecordStream(this, ids[i], StreamName(ids[i]));
        }
        return streams;
    }

    private byte[] StreamName(uint id)
    {
        byte* name = stackalloc byte[Limits.StreamNameBytesMax];
        using HandleLease lease = Lease();
        nuint length;
        nint error;
        int status = spw_store_stream_name(
            lease.Value, id, name, Limits.StreamNameBytesMax, &length, &error);
        NativeError.Check(status, error);
        return new ReadOnlySpan<byte>(name, (int)length).ToArray();
    }

    /// <summary>Returns when everything admitted before the call, by any thread, is as safe as
    /// <paramref name="level"/> says, also in every later recovery.</summary>
    /// <param name="level">How safe.</param>
    /// <param name="timeout">How long it may take; null: the store's default. Zero: WouldBlock if
    /// there is something to write.</param>
    /// <param name="operation">Watches (records) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the wait; the writing goes on in the background.
    /// </param>
    /// <exception cref="SpillwayException">Unsupported: a store in memory only. Timeout,
    /// WouldBlock: it goes on in the background. Full: tried again in the background. IO, Corrupt:
    /// writing has ended, nothing acknowledged is lost, what is in memory is readable.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Flush(
        FlushLevel level = FlushLevel.Device, TimeSpan? timeout = null,
        Operation? operation = null, CancellationToken cancellationToken = default)
    {
        using HandleLease lease = Lease();
        using CancellableCall call = new(cancellationToken, operation);
        nint error;
        int status = spw_store_flush(
            lease.Value, (int)level, NativeText.Milliseconds(timeout), call.Op, &error);
        NativeError.Check(status, error, cancellationToken);
    }

    /// <summary>A <see cref="Flush"/> to the device, after which the memory of all records that are
    /// in the cold tier is given back to the system, and the free memory too: for a store that is
    /// to be quiet for a while. Records can be read and added throughout; what others add meanwhile
    /// stays in memory.</summary>
    /// <param name="timeout">How long it may take; null: the store's default. Zero: WouldBlock if
    /// there is something to write.</param>
    /// <param name="operation">Watches (records) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the wait; the writing goes on in the background.
    /// </param>
    /// <exception cref="SpillwayException">As of <see cref="Flush"/>; no memory was given back.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Settle(
        TimeSpan? timeout = null, Operation? operation = null,
        CancellationToken cancellationToken = default)
    {
        using HandleLease lease = Lease();
        using CancellableCall call = new(cancellationToken, operation);
        nint error;
        int status = spw_store_settle(
            lease.Value, NativeText.Milliseconds(timeout), call.Op, &error);
        NativeError.Check(status, error, cancellationToken);
    }

    /// <summary>Gives the memory that is kept for reuse
    /// (<see cref="StoreStatistics.BytesFree"/>) back to the system. Does not wait. Any store; the
    /// next adds map fresh memory, which costs more than the copy into it.</summary>
    public void ReleaseMemory()
    {
        using HandleLease lease = Lease();
        nint error;
        NativeError.Check(spw_store_release_memory(lease.Value, &error), error);
    }

    internal HandleLease Lease() => _handle.Lease(this);
}
