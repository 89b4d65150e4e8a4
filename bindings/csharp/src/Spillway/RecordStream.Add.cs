using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <content>Adding: each call admits one batch, whole or not at all.</content>
public sealed unsafe partial class RecordStream
{
    /// <summary>
    /// Adds records that lie one after another in memory as one batch, in consecutive sequence
    /// numbers. Everything is copied before the call returns. Nothing is promised about durability,
    /// see <see cref="Store.Flush"/>, unless <see cref="StoreOptions.SyncInterval"/> is zero.
    /// Allocates nothing.
    /// </summary>
    /// <param name="data">Record i is <c>data[offsets[i] .. offsets[i + 1])</c>.</param>
    /// <param name="offsets">One more than there are records. They never run backwards and end
    /// within <paramref name="data"/>; the first may be above 0.</param>
    /// <param name="times">One per record for a stream with times, else empty.</param>
    /// <param name="timeout">How long to wait at the hard limit; null: the store's default; zero:
    /// WouldBlock instead of waiting.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The first record's sequence number; <see cref="Limits.NoSequence"/> if there are no
    /// records, or if <see cref="WhenFull.DropNewest"/> dropped them.</returns>
    /// <exception cref="SpillwayException">Nothing was added, unless it has an
    /// <see cref="SpillwayException.AdmittedSequence"/>: then the batch was added and is not
    /// durable (Closed: the close writes it. Full: tried again). WouldBlock, Timeout: at
    /// the hard limit. Full: there, and the disk is full. TooBig: a record
    /// (<see cref="SpillwayException.RecordIndex"/>) above <see cref="Limits.RecordBytesMax"/>, or
    /// a batch above the hard limit where there is no cold tier or the stream may not wait.
    /// InvalidArgument: offsets or times that do not fit. IO, Corrupt: an earlier spill failed,
    /// writing has ended.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; nothing was added.
    /// </exception>
    /// <exception cref="ArgumentException">No offsets, or another number of times than of records.
    /// </exception>
    public ulong Add(
        ReadOnlySpan<byte> data, ReadOnlySpan<ulong> offsets, ReadOnlySpan<long> times = default,
        TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        AddCore(
            data, offsets, times, NativeText.Milliseconds(timeout), cancellationToken,
            out ulong first);
        return first;
    }

    /// <summary>Adds the records of a builder, which it leaves as it is: clear it to use it again.
    /// Allocates nothing.</summary>
    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, ReadOnlySpan{ulong}, ReadOnlySpan{long}, TimeSpan?, CancellationToken)"/>
    /// <param name="batch">Not kept.</param>
    /// <param name="timeout">How long to wait at the hard limit; null: the store's default; zero:
    /// WouldBlock instead of waiting.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="InvalidOperationException">The builder's last record is not ended.
    /// </exception>
    public ulong Add(
        BatchBuilder batch, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Add(batch.Data, batch.Offsets, batch.Times, timeout, cancellationToken);
    }

    /// <summary>As <see cref="Add(BatchBuilder, TimeSpan?, CancellationToken)"/>, for callers to
    /// whom a full store is nothing exceptional: never waits for room.</summary>
    /// <param name="batch">Not kept.</param>
    /// <param name="first">The first record's sequence number.</param>
    /// <returns>false: it would have to wait; nothing was added.</returns>
    /// <inheritdoc cref="Add(BatchBuilder, TimeSpan?, CancellationToken)" path="/exception"/>
    public bool TryAdd(BatchBuilder batch, out ulong first)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return AddCore(
            batch.Data, batch.Offsets, batch.Times, Constants.SPW_NO_WAIT, default, out first,
            expected: Constants.SPW_WOULD_BLOCK);
    }

    /// <summary>Adds records that lie apart in memory as one batch. A convenience that copies each
    /// once more; where speed counts keep a <see cref="BatchBuilder"/>.</summary>
    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, ReadOnlySpan{ulong}, ReadOnlySpan{long}, TimeSpan?, CancellationToken)"/>
    /// <param name="records">Not kept.</param>
    /// <param name="timeout">How long to wait at the hard limit; null: the store's default; zero:
    /// WouldBlock instead of waiting.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public ulong Add(
        IEnumerable<ReadOnlyMemory<byte>> records, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        using BatchBuilder batch = new();
        foreach (ReadOnlyMemory<byte> record in records)
        {
            batch.Append(record.Span);
        }
        return Add(batch, timeout, cancellationToken);
    }

    /// <summary>Adds one record to a stream without times. One call per record costs several times
    /// a record's share of a batch.</summary>
    /// <param name="record">Not kept.</param>
    /// <param name="timeout">How long to wait at the hard limit; null: the store's default; zero:
    /// WouldBlock instead of waiting.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Its sequence number.</returns>
    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, ReadOnlySpan{ulong}, ReadOnlySpan{long}, TimeSpan?, CancellationToken)" path="/exception"/>
    public ulong AddRecord(
        ReadOnlySpan<byte> record, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default) =>
        Add(record, [0, (ulong)record.Length], default, timeout, cancellationToken);

    /// <summary>Adds one record to a stream with times.</summary>
    /// <param name="record">Not kept.</param>
    /// <param name="time">Its time: not interpreted; nanoseconds since 1970 by convention.</param>
    /// <param name="timeout">How long to wait at the hard limit; null: the store's default; zero:
    /// WouldBlock instead of waiting.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <inheritdoc cref="AddRecord(ReadOnlySpan{byte}, TimeSpan?, CancellationToken)"/>
    public ulong AddRecord(
        ReadOnlySpan<byte> record, long time, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default) =>
        Add(record, [0, (ulong)record.Length], [time], timeout, cancellationToken);

    // Returns false for the status expected, true for SPW_OK, and throws for any other.
    private bool AddCore(
        ReadOnlySpan<byte> data, ReadOnlySpan<ulong> offsets, ReadOnlySpan<long> times,
        long timeout, CancellationToken cancellationToken, out ulong first,
        int expected = Constants.SPW_OK)
    {
        if (offsets.IsEmpty)
        {
            throw new ArgumentException("One more than records, so at least one.", nameof(offsets));
        }
        int count = offsets.Length - 1;
        if (!times.IsEmpty && times.Length != count)
        {
            throw new ArgumentException(
                $"{times.Length} times for {count} records.", nameof(times));
        }
        using HandleLease lease = Store.Lease();
        using CancellableCall call = new(cancellationToken);
        ulong admitted;
        nint error;
        int status;
        fixed (byte* bytes = data)
        fixed (ulong* bounds = offsets)
        fixed (long* stamps = times)
        {
            status = spw_store_add(
                lease.Value, Id, bytes, (ulong)data.Length, bounds, (nuint)count, stamps, timeout,
                call.Op, &admitted, &error);
        }
        first = admitted;
        if (status == Constants.SPW_OK)
        {
            return true;
        }
        if (admitted != Limits.NoSequence)
        {
            throw NativeError.ToException(status, error, admitted, cancellationToken);
        }
        return NativeError.CheckUnless(expected, status, error, cancellationToken);
    }
}
