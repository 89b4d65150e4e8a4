using Spillway.Native;

namespace Spillway;

/// <summary>
/// Numbers of a block file at one instant, since it was opened unless they say "now".
/// <c>BytesFile == BytesUsed + BytesHeld + BytesFree</c>. A copy: any thread, any time.
/// </summary>
public readonly struct BlockFileStatistics
{
    private readonly spw_block_stats _stats;

    internal BlockFileStatistics(in spw_block_stats stats) => _stats = stats;

    /// <summary>Now: blocks in the file. What waits in memory is not counted until it is written.
    /// </summary>
    public ulong Blocks => _stats.blocks;

    /// <summary>Now: bytes of them.</summary>
    public ulong PayloadBytes => _stats.payload_bytes;

    /// <summary>Now: the file's length: used, held and free bytes.</summary>
    public ulong BytesFile => _stats.bytes_file;

    /// <summary>Now: bytes taken by what the file holds.</summary>
    public ulong BytesUsed => _stats.bytes_used;

    /// <summary>Now: bytes taken by the journal, the reserve, and what snapshots or the last
    /// checkpoint still need.</summary>
    public ulong BytesHeld => _stats.bytes_held;

    /// <summary>Now: bytes used again before the file grows.</summary>
    public ulong BytesFree => _stats.bytes_free;

    /// <summary>Now: changes that wait in memory.</summary>
    public ulong BlocksDirty => _stats.blocks_dirty;

    /// <summary>Now: memory that they take.</summary>
    public ulong BytesDirty => _stats.bytes_dirty;

    /// <summary>Now: payload kept for <see cref="ReadableBlocks.Get"/>.</summary>
    public ulong BytesCached => _stats.bytes_cached;

    /// <summary>Now: open snapshots, transactions and lists.</summary>
    public ulong Snapshots => _stats.snapshots;

    /// <summary>Changes accepted.</summary>
    public ulong Puts => _stats.puts;

    /// <summary>Commit groups written.</summary>
    public ulong Groups => _stats.groups;

    /// <summary>Syncs.</summary>
    public ulong Barriers => _stats.barriers;

    /// <summary>Checkpoints.</summary>
    public ulong Checkpoints => _stats.checkpoints;

    /// <summary>Bytes written to the file, of every kind.</summary>
    public ulong BytesWritten => _stats.bytes_written;

    /// <summary>Bytes read from it.</summary>
    public ulong BytesRead => _stats.bytes_read;

    /// <summary>Changes that found what may wait in memory full.</summary>
    public ulong Waits => _stats.waits;

    /// <summary>Views found in the cache.</summary>
    public ulong CacheHits => _stats.cache_hits;

    /// <summary>Views that were not there.</summary>
    public ulong CacheMisses => _stats.cache_misses;

    /// <summary>Damage met.</summary>
    public ulong ChecksumErrors => _stats.checksum_errors;

    /// <summary>Ok; Full: tried again; anything else has ended writing.</summary>
    public SpillwayStatus Health => (SpillwayStatus)_stats.health;

    /// <summary>Now: bytes that the file takes of the disk, holes not counted.</summary>
    public ulong BytesDisk => _stats.bytes_disk;

    /// <summary>Passes of <see cref="BlockFile.Scrub"/> that have ended.</summary>
    public ulong ScrubPasses => _stats.scrub_passes;

    /// <summary>Problems that they found.</summary>
    public ulong ScrubProblems => _stats.scrub_problems;
}
