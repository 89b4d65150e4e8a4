using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <content>Options while the store is in use, statistics, events.</content>
public sealed unsafe partial class Store
{
    /// <summary>Bytes of memory for records, now; <see cref="Limits.Auto"/> reads as the number
    /// chosen. A lower budget takes effect by spilling; nothing is dropped.</summary>
    public long BudgetBytes
    {
        get => GetOption(OptionKey.BudgetBytes);
        set => SetOption(OptionKey.BudgetBytes, value);
    }

    /// <summary>Records held in memory, now.</summary>
    public long BudgetRecords
    {
        get => GetOption(OptionKey.BudgetRecords);
        set => SetOption(OptionKey.BudgetRecords, value);
    }

    /// <summary>The timeout of calls that name none, now.</summary>
    public TimeSpan DefaultTimeout
    {
        get => NativeText.Time(GetOption(OptionKey.TimeoutMilliseconds));
        set => SetOption(OptionKey.TimeoutMilliseconds, NativeText.Milliseconds(value));
    }

    /// <summary>How long an added batch may stay not durable, now; see
    /// <see cref="StoreOptions.SyncInterval"/>.</summary>
    public TimeSpan SyncInterval
    {
        get => NativeText.Time(GetOption(OptionKey.SyncMilliseconds));
        set => SetOption(OptionKey.SyncMilliseconds, NativeText.Milliseconds(value));
    }

    /// <summary>What an option of the store is now, in the unit of the C header.</summary>
    /// <exception cref="SpillwayException">Unsupported: no such option here.</exception>
    public long GetOption(OptionKey key) => GetOption(Constants.SPW_ALL, key);

    /// <summary>Changes a live option of the store while it is in use.</summary>
    /// <exception cref="SpillwayException">Unsupported: no such option, or not live.
    /// InvalidArgument: out of range.</exception>
    public void SetOption(OptionKey key, long value) => SetOption(Constants.SPW_ALL, key, value);

    internal long GetOption(uint stream, OptionKey key)
    {
        using HandleLease lease = Lease();
        long value;
        nint error;
        int status = spw_store_get_i64(lease.Value, stream, (int)key, &value, &error);
        NativeError.Check(status, error);
        return value;
    }

    internal void SetOption(uint stream, OptionKey key, long value)
    {
        using HandleLease lease = Lease();
        nint error;
        int status = spw_store_set_i64(lease.Value, stream, (int)key, value, &error);
        NativeError.Check(status, error);
    }

    /// <summary>Counters of the store. Takes no lock and allocates nothing: may be called at any
    /// rate.</summary>
    public StoreStatistics GetStatistics()
    {
        using HandleLease lease = Lease();
        spw_stats stats = new() { struct_size = (uint)sizeof(spw_stats) };
        nint error;
        int status = spw_store_stats(lease.Value, &stats, &error);
        NativeError.Check(status, error);
        return new StoreStatistics(stats);
    }

    /// <summary>Takes the oldest events out of the store. It keeps the last 256;
    /// <see cref="StoreStatistics.EventsLost"/> counts those overwritten before.</summary>
    /// <returns>Oldest first; empty if there are none.</returns>
    public StoreEvent[] DrainEvents()
    {
        const int Kept = 256;
        spw_event* events = stackalloc spw_event[Kept];
        nuint count;
        nint error;
        using (HandleLease lease = Lease())
        {
            int status = spw_store_events(
                lease.Value, events, (nuint)sizeof(spw_event), Kept, &count, &error);
            NativeError.Check(status, error);
        }
        StoreEvent[] drained = new StoreEvent[(int)count];
        for (int i = 0; i < drained.Length; i++)
        {
            drained[i] = new StoreEvent(events[i]);
        }
        return drained;
    }
}
