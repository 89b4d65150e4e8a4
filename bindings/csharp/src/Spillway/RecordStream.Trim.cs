using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <content>Trims, which drop the oldest records, in memory and in the cold tier.</content>
public sealed unsafe partial class RecordStream
{
    /// <summary>
    /// Drops all records below a sequence number; the numbers go on. At or below where the stream
    /// begins nothing happens. A reader at a record that is gone gets Trimmed. Memory comes back in
    /// whole segments, a 64th of the budget. The change is durable with the next flush, after which
    /// the space on disk comes back in the background; a crash before that may bring the records
    /// back.
    /// </summary>
    /// <exception cref="SpillwayException">InvalidArgument: above the stream's tail. IO, Corrupt:
    /// writing has ended.</exception>
    public void Trim(ulong begin)
    {
        using HandleLease lease = Store.Lease();
        nint error;
        NativeError.Check(spw_store_trim(lease.Value, Id, begin, &error), error);
    }

    /// <summary>As <see cref="Trim"/>, of the longest prefix of records whose times are all below a
    /// time; of times that do not ascend the first one that is not ends it. Reads what it drops.
    /// </summary>
    /// <returns>Where the stream begins then.</returns>
    /// <exception cref="SpillwayException">InvalidArgument: the stream has no times. IO, Corrupt:
    /// writing has ended, or the records cannot be read, and nothing was dropped.</exception>
    public ulong TrimBefore(long time)
    {
        using HandleLease lease = Store.Lease();
        ulong begin;
        nint error;
        NativeError.Check(spw_store_trim_time(lease.Value, Id, time, &begin, &error), error);
        return begin;
    }

    /// <summary>As <see cref="Trim"/>, of as few of the oldest records as leave at most so many
    /// bytes of payload, of those that are there when the call begins. Reads the sizes of what it
    /// leaves.</summary>
    /// <param name="bytes">0 or more.</param>
    /// <returns>Where the stream begins then.</returns>
    /// <exception cref="SpillwayException">IO, Corrupt: writing has ended, or the records cannot be
    /// read, and nothing was dropped.</exception>
    public ulong TrimToSize(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        using HandleLease lease = Store.Lease();
        ulong begin;
        nint error;
        int status = spw_store_trim_bytes(lease.Value, Id, (ulong)bytes, &begin, &error);
        NativeError.Check(status, error);
        return begin;
    }
}
