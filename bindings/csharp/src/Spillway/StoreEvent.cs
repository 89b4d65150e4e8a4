using Spillway.Native;

namespace Spillway;

/// <summary>What happened in a store.</summary>
public enum StoreEventKind
{
    /// <summary>An add waited: value is nanoseconds, count records.</summary>
    Blocked = Constants.SPW_EVENT_BLOCKED,
    /// <summary>A spill begins: value is payload bytes, count records.</summary>
    SpillBegin = Constants.SPW_EVENT_SPILL_BEGIN,
    /// <summary>A spill ended: value is nanoseconds, count records.</summary>
    SpillEnd = Constants.SPW_EVENT_SPILL_END,
    /// <summary>A spill failed: see the status; value is errno.</summary>
    Error = Constants.SPW_EVENT_ERROR,
    /// <summary>Spilling goes on after Full.</summary>
    Recovered = Constants.SPW_EVENT_RECOVERED,
    /// <summary>Damaged records were met: sequence and count tell which.</summary>
    Corrupt = Constants.SPW_EVENT_CORRUPT,
    /// <summary>Count records were dropped at the hard limit: from sequence on with
    /// <see cref="WhenFull.DropOldest"/>; those of <see cref="WhenFull.DropNewest"/> never had a
    /// number.</summary>
    Dropped = Constants.SPW_EVENT_DROPPED,
}

/// <summary>One event of a store, as <see cref="Store.DrainEvents"/> takes them out. A copy.
/// </summary>
public readonly struct StoreEvent
{
    private readonly spw_event _event;

    internal StoreEvent(in spw_event source) => _event = source;

    /// <summary>What happened; a later library may know more kinds.</summary>
    public StoreEventKind Kind => (StoreEventKind)_event.kind;

    /// <summary><see cref="RecordStream.Id"/> of the stream; null: the store as a whole.</summary>
    public uint? StreamId => _event.stream == Constants.SPW_ALL ? null : _event.stream;

    /// <summary>What failed, for kinds that tell of a failure.</summary>
    public SpillwayStatus Status => (SpillwayStatus)_event.code;

    /// <summary>When, in nanoseconds since 1970, UTC.</summary>
    public ulong TimeNanoseconds => _event.time_ns;

    /// <summary>When, to the 100 ns of .NET.</summary>
    public DateTimeOffset Time =>
        DateTimeOffset.UnixEpoch.AddTicks((long)(_event.time_ns / TimeSpan.NanosecondsPerTick));

    /// <summary>First record concerned, or <see cref="Limits.NoSequence"/>.</summary>
    public ulong Sequence => _event.seq;

    /// <summary>Records concerned.</summary>
    public ulong Count => _event.count;

    /// <summary>What the kind says.</summary>
    public ulong Value => _event.value;
}
