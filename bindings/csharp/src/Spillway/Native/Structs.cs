using System.Runtime.InteropServices;

namespace Spillway.Native;

#pragma warning disable CS0649 // The library writes most of these fields.

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_slice
{
    internal void* data;
    internal nuint len;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_stats
{
    internal uint struct_size;
    internal uint flags;
    internal ulong streams;
    internal ulong batches_added;
    internal ulong records_added;
    internal ulong payload_bytes_added;
    internal ulong records_live;
    internal ulong records_unspilled;
    internal ulong records_cold;
    internal ulong records_resident;
    internal ulong records_resident_peak;
    internal ulong bytes_unspilled;
    internal ulong bytes_clean;
    internal ulong bytes_free;
    internal ulong bytes_resident;
    internal ulong bytes_resident_peak;
    internal ulong bytes_pinned;
    internal ulong bytes_soft;
    internal ulong bytes_hard;
    internal ulong records_soft;
    internal ulong records_hard;
    internal ulong spills;
    internal ulong records_spilled;
    internal ulong payload_bytes_spilled;
    internal ulong spill_ns_last;
    internal ulong spill_ns_total;
    internal ulong spill_errors;
    internal ulong adders_waiting;
    internal ulong waits;
    internal ulong wait_ns_total;
    internal ulong wait_ns_max;
    internal ulong adds_refused;
    internal ulong records_cleared;
    internal ulong evictions;
    internal ulong cold_reads;
    internal ulong cold_bytes_read;
    internal ulong checksum_errors;
    internal ulong cold_file_bytes;
    internal ulong events_lost;
    internal ulong health;
    internal ulong records_trimmed;
    internal ulong records_overwritten;
    internal ulong records_dropped;
    internal ulong batches_dropped;
    internal ulong paced;
    internal ulong paced_ns_total;
    internal ulong adders_syncing;
    internal ulong promotions;
    internal ulong reads_memory;
    internal ulong reads_cold;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_stream_stats
{
    internal uint struct_size;
    internal uint flags;
    internal ulong begin_seq;
    internal ulong spilled_seq;
    internal ulong tail_seq;
    internal ulong records_resident;
    internal ulong bytes_unspilled;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_event
{
    internal uint kind;
    internal uint stream;
    internal int code;
    internal uint reserved;
    internal ulong time_ns;
    internal ulong seq;
    internal ulong count;
    internal ulong value;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_scan
{
    internal uint struct_size;
    internal uint flags;
    internal uint stream;
    internal uint reserved;
    internal ulong begin_seq;
    internal ulong end_seq;
    internal long time_begin;
    internal long time_end;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_view
{
    internal uint struct_size;
    internal uint flags;
    internal ulong count;
    internal ulong first_seq;
    internal byte* data;
    internal ulong data_len;
    internal ulong* begin;
    internal ulong* end;
    internal ulong* seqs;
    internal long* times;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_block_info
{
    internal uint struct_size;
    internal uint tag_len;
    internal ulong length;
    internal ulong version;
    internal long created_ns;
    internal long modified_ns;
    internal fixed byte tag[128];
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_block_view
{
    internal uint struct_size;
    internal uint flags;
    internal ulong count;
    internal byte* names;
    internal ulong* name_offsets;
    internal spw_block_info* infos;
}

[StructLayout(LayoutKind.Sequential)]
internal struct spw_vacuum_result
{
    internal uint struct_size;
    internal uint flags;
    internal ulong bytes_moved;
    internal ulong bytes_needed;
    internal ulong bytes_before;
    internal ulong bytes_after;
    internal ulong bytes_file;
    internal ulong done;
}

[StructLayout(LayoutKind.Sequential)]
internal struct spw_transfer
{
    internal uint struct_size;
    internal uint flags;
    internal ulong blocks;
    internal ulong bytes;
    internal ulong equal;
    internal ulong ignored;
}

[StructLayout(LayoutKind.Sequential)]
internal struct spw_verify_summary
{
    internal uint struct_size;
    internal uint flags;
    internal ulong blocks;
    internal ulong blocks_damaged;
    internal ulong bytes;
    internal ulong problems;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_problem
{
    internal uint struct_size;
    internal int code;
    internal byte* name;
    internal ulong name_len;
    internal byte* message;
    internal ulong message_len;
}

[StructLayout(LayoutKind.Sequential)]
internal struct spw_record_summary
{
    internal uint struct_size;
    internal uint flags;
    internal ulong streams;
    internal ulong records;
    internal ulong records_damaged;
    internal ulong bytes;
    internal ulong ranges;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct spw_record_range
{
    internal uint struct_size;
    internal int code;
    internal uint stream;
    internal uint reserved;
    internal ulong begin_seq;
    internal ulong end_seq;
    internal byte* message;
    internal ulong message_len;
}

[StructLayout(LayoutKind.Sequential)]
internal struct spw_block_stats
{
    internal uint struct_size;
    internal uint flags;
    internal ulong blocks;
    internal ulong payload_bytes;
    internal ulong bytes_file;
    internal ulong bytes_used;
    internal ulong bytes_held;
    internal ulong bytes_free;
    internal ulong blocks_dirty;
    internal ulong bytes_dirty;
    internal ulong bytes_cached;
    internal ulong snapshots;
    internal ulong puts;
    internal ulong groups;
    internal ulong barriers;
    internal ulong checkpoints;
    internal ulong bytes_written;
    internal ulong bytes_read;
    internal ulong waits;
    internal ulong cache_hits;
    internal ulong cache_misses;
    internal ulong checksum_errors;
    internal ulong health;
    internal ulong bytes_disk;
    internal ulong scrub_passes;
    internal ulong scrub_problems;
}
