using Spillway.Native;

namespace Spillway;

/// <summary>
/// Counters of a store at one instant, since it was opened unless they say "now". At rest
/// <c>RecordsLive == RecordsUnspilled + RecordsCold</c>. A copy: any thread, any time.
/// </summary>
public readonly struct StoreStatistics
{
    private readonly spw_stats _stats;

    internal StoreStatistics(in spw_stats stats) => _stats = stats;

    /// <summary>Streams there are.</summary>
    public ulong Streams => _stats.streams;

    /// <summary>Batches admitted.</summary>
    public ulong BatchesAdded => _stats.batches_added;

    /// <summary>Records admitted.</summary>
    public ulong RecordsAdded => _stats.records_added;

    /// <summary>Payload bytes admitted.</summary>
    public ulong PayloadBytesAdded => _stats.payload_bytes_added;

    /// <summary>Now: records in all streams.</summary>
    public ulong RecordsLive => _stats.records_live;

    /// <summary>Now: records in memory only.</summary>
    public ulong RecordsUnspilled => _stats.records_unspilled;

    /// <summary>Now: records in the cold tier, some also in memory.</summary>
    public ulong RecordsCold => _stats.records_cold;

    /// <summary>Now: records in memory, which the record budget limits.</summary>
    public ulong RecordsResident => _stats.records_resident;

    /// <summary>The most records in memory.</summary>
    public ulong RecordsResidentPeak => _stats.records_resident_peak;

    /// <summary>Now: memory of records that are not yet in the cold tier.</summary>
    public ulong BytesUnspilled => _stats.bytes_unspilled;

    /// <summary>Now: memory of records that are also in the cold tier.</summary>
    public ulong BytesClean => _stats.bytes_clean;

    /// <summary>Now: memory kept for reuse.</summary>
    public ulong BytesFree => _stats.bytes_free;

    /// <summary>Now: the sum of the three, never above <see cref="BytesHard"/>.</summary>
    public ulong BytesResident => _stats.bytes_resident;

    /// <summary>The most bytes resident.</summary>
    public ulong BytesResidentPeak => _stats.bytes_resident_peak;

    /// <summary>Now: memory that only cursors' current views and owned batches hold; it comes on
    /// top. A forgotten <see cref="OwnedBatch"/> shows here.</summary>
    public ulong BytesPinned => _stats.bytes_pinned;

    /// <summary>The budget in bytes; <see cref="ulong.MaxValue"/>: none.</summary>
    public ulong BytesSoft => _stats.bytes_soft;

    /// <summary>The hard limit in bytes.</summary>
    public ulong BytesHard => _stats.bytes_hard;

    /// <summary>The budget in records; <see cref="ulong.MaxValue"/>: none.</summary>
    public ulong RecordsSoft => _stats.records_soft;

    /// <summary>The hard limit in records.</summary>
    public ulong RecordsHard => _stats.records_hard;

    /// <summary>Commits to the cold tier.</summary>
    public ulong Spills => _stats.spills;

    /// <summary>Records written to the cold tier.</summary>
    public ulong RecordsSpilled => _stats.records_spilled;

    /// <summary>Payload bytes written to the cold tier.</summary>
    public ulong PayloadBytesSpilled => _stats.payload_bytes_spilled;

    /// <summary>Nanoseconds that the last spill took.</summary>
    public ulong SpillNanosecondsLast => _stats.spill_ns_last;

    /// <summary>Nanoseconds of all spills.</summary>
    public ulong SpillNanosecondsTotal => _stats.spill_ns_total;

    /// <summary>Spills that failed.</summary>
    public ulong SpillErrors => _stats.spill_errors;

    /// <summary>Now: adds that wait at the hard limit.</summary>
    public ulong AddersWaiting => _stats.adders_waiting;

    /// <summary>Adds that had to wait there, each counted when its wait ended.</summary>
    public ulong Waits => _stats.waits;

    /// <summary>Nanoseconds of all these waits.</summary>
    public ulong WaitNanosecondsTotal => _stats.wait_ns_total;

    /// <summary>Nanoseconds of the longest.</summary>
    public ulong WaitNanosecondsMax => _stats.wait_ns_max;

    /// <summary>Adds that failed at the hard limit: WouldBlock, Timeout, cancelled, Full.</summary>
    public ulong AddsRefused => _stats.adds_refused;

    /// <summary>Records dropped on request.</summary>
    public ulong RecordsCleared => _stats.records_cleared;

    /// <summary>Clean segments dropped from memory.</summary>
    public ulong Evictions => _stats.evictions;

    /// <summary>Reads of the cold tier.</summary>
    public ulong ColdReads => _stats.cold_reads;

    /// <summary>Payload bytes decoded by them.</summary>
    public ulong ColdBytesRead => _stats.cold_bytes_read;

    /// <summary>Damaged runs met.</summary>
    public ulong ChecksumErrors => _stats.checksum_errors;

    /// <summary>Now: bytes of the cold tier's files.</summary>
    public ulong ColdFileBytes => _stats.cold_file_bytes;

    /// <summary>Records dropped by trims; those of a clear are in RecordsCleared.</summary>
    public ulong RecordsTrimmed => _stats.records_trimmed;

    /// <summary>The oldest records of rings, dropped to make room.</summary>
    public ulong RecordsOverwritten => _stats.records_overwritten;

    /// <summary>Records refused and dropped at the hard limit; never added.</summary>
    public ulong RecordsDropped => _stats.records_dropped;

    /// <summary>Their batches.</summary>
    public ulong BatchesDropped => _stats.batches_dropped;

    /// <summary>Adds slowed between the soft and the hard limit; they are not in Waits.</summary>
    public ulong Paced => _stats.paced;

    /// <summary>Nanoseconds of that.</summary>
    public ulong PacedNanosecondsTotal => _stats.paced_ns_total;

    /// <summary>Now: adds that wait for the device.</summary>
    public ulong AddersSyncing => _stats.adders_syncing;

    /// <summary>Runs copied from the cold tier into memory; see
    /// <see cref="StoreOptions.PromoteReads"/>.</summary>
    public ulong Promotions => _stats.promotions;

    /// <summary>Records that reads and gathers found in memory.</summary>
    public ulong ReadsMemory => _stats.reads_memory;

    /// <summary>And in the cold tier.</summary>
    public ulong ReadsCold => _stats.reads_cold;

    /// <summary>Events overwritten before they were drained.</summary>
    public ulong EventsLost => _stats.events_lost;

    /// <summary>Ok; Full: tried again; anything else has ended writing.</summary>
    public SpillwayStatus Health => (SpillwayStatus)_stats.health;
}

/// <summary>
/// Where a stream stands: <c>BeginSequence &lt;= SpilledSequence &lt;= TailSequence</c>, each of
/// which only goes up. A copy: any thread, any time.
/// </summary>
public readonly struct StreamStatistics
{
    private readonly spw_stream_stats _stats;

    internal StreamStatistics(in spw_stream_stats stats) => _stats = stats;

    /// <summary>Whether every record has a time.</summary>
    public bool HasTimes => (_stats.flags & Constants.SPW_STREAM_HAS_TIMES) != 0;

    /// <summary>The first record there is.</summary>
    public ulong BeginSequence => _stats.begin_seq;

    /// <summary>All records below are on the device.</summary>
    public ulong SpilledSequence => _stats.spilled_seq;

    /// <summary>What the next record gets.</summary>
    public ulong TailSequence => _stats.tail_seq;

    /// <summary>Records there are.</summary>
    public ulong Count => _stats.tail_seq - _stats.begin_seq;

    /// <summary>Records in memory.</summary>
    public ulong RecordsResident => _stats.records_resident;

    /// <summary>Memory of records that are not yet in the cold tier.</summary>
    public ulong BytesUnspilled => _stats.bytes_unspilled;
}
