using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Reads a snapshot of a stream (<see cref="RecordStream.OpenCursor"/>), batch by batch, in order.
/// Holds no memory but its current view. One thread at a time, but any thread; two at once are
/// refused with InvalidState. It may outlive its store, where it then only throws.
/// </summary>
/// <remarks>Dispose it, best by <c>using</c> around all that reads its views: a cursor that nobody
/// refers to any more may be collected, and its memory with it.</remarks>
public sealed unsafe partial class Cursor : IDisposable
{
    private readonly CursorHandle _handle;
    private int _version;

    internal Cursor(CursorHandle handle) => _handle = handle;

    /// <summary>Goes up whenever the current view ends, so that a <see cref="RecordBatch"/> knows
    /// whether it is still the current one.</summary>
    internal int Version => Volatile.Read(ref _version);

    /// <summary>The range of the snapshot.</summary>
    public SequenceRange Range
    {
        get
        {
            using HandleLease lease = _handle.Lease(this);
            ulong begin, end;
            nint error;
            int status = spw_cursor_range(lease.Value, &begin, &end, &error);
            NativeError.Check(status, error);
            return new SequenceRange(begin, end);
        }
    }

    /// <summary>The next records as one view of the library's memory, without copying. Allocates
    /// nothing.</summary>
    /// <param name="batch">Valid until the next call of Next, NextOwned, Seek or Dispose. May hold
    /// fewer records than asked for, at least one if there is one.</param>
    /// <param name="maxRecords">At most so many records, at least 1.</param>
    /// <param name="maxBytes">At most so many payload bytes, at least 1; a first record that is
    /// longer comes nevertheless.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>false: there are no more.</returns>
    /// <exception cref="SpillwayException">Trimmed: the records here were cleared. Corrupt, IO:
    /// they cannot be read. Every later call fails with it again, until a <see cref="Seek"/>.
    /// InvalidState: another thread is using the cursor.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public bool Next(
        out RecordBatch batch, int maxRecords = int.MaxValue, long maxBytes = long.MaxValue,
        CancellationToken cancellationToken = default)
    {
        batch = default;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRecords);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        using HandleLease lease = _handle.Lease(this);
        using CancellableCall call = new(cancellationToken);
        spw_view view = new() { struct_size = (uint)sizeof(spw_view) };
        nint error;
        // Taken before the call: a Dispose meanwhile, by another thread, must end this batch.
        int version = EndView();
        int status = spw_cursor_next(
            lease.Value, (ulong)maxRecords, (ulong)maxBytes, Constants.SPW_WAIT_FOREVER, call.Op,
            &view, &error);
        NativeError.Check(status, error, cancellationToken);
        batch = new RecordBatch(this, version, view);
        return view.count > 0;
    }

    /// <summary>As <see cref="Next"/>, with the records as a batch of the caller's own, still
    /// without copying.</summary>
    /// <inheritdoc cref="Next" path="/param[@name != 'batch']|/exception"/>
    /// <returns>null: there are no more.</returns>
    public OwnedBatch? NextOwned(
        int maxRecords = int.MaxValue, long maxBytes = long.MaxValue,
        CancellationToken cancellationToken = default) =>
        Next(out _, maxRecords, maxBytes, cancellationToken) ? Detach() : null;

    /// <summary>The current view as a batch with a life of its own, without copying: it outlives
    /// cursor and store. The view stays valid as it was.</summary>
    /// <exception cref="SpillwayException">InvalidState: there is no current view.</exception>
    public OwnedBatch Detach()
    {
        BatchHandle batch = new();
        using HandleLease lease = _handle.Lease(this);
        nint raw, error;
        int status = spw_cursor_detach(lease.Value, &raw, &error);
        NativeError.Check(status, error);
        batch.Adopt(raw);
        return new OwnedBatch(batch);
    }

    /// <summary>Moves to a sequence number within the range or to its end. Clears an error.
    /// </summary>
    /// <exception cref="SpillwayException">InvalidArgument: outside of the range.</exception>
    public void Seek(ulong sequence)
    {
        using HandleLease lease = _handle.Lease(this);
        nint error;
        EndView();
        NativeError.Check(spw_cursor_seek(lease.Value, sequence, &error), error);
    }

    /// <summary>Frees it and its current view. Any number of times, on any thread, before or after
    /// its store.</summary>
    public void Dispose()
    {
        EndView();
        _handle.Dispose();
    }

    private int EndView() => Interlocked.Increment(ref _version);
}
