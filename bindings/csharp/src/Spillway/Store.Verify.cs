using System.Text;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <content>Verification.</content>
public sealed unsafe partial class Store
{
    /// <summary>Reads all records that are in the cold tier on the device when it is called, and
    /// checks them, while the store is in use; goes on behind damage. Changes nothing. A block
    /// file's structures and other blocks are not looked at: see <see cref="OpenFile"/> and
    /// <see cref="BlockFile.Verify"/>.</summary>
    /// <param name="stream">Only this one's; null: those of all streams.</param>
    /// <param name="bytesPerSecond">The most payload that it reads, at least 1.</param>
    /// <param name="operation">Watches (records) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>What it found; damage is no exception.</returns>
    /// <exception cref="SpillwayException">Unsupported: a store in memory only.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public RecordReport Verify(
        RecordStream? stream = null, long bytesPerSecond = Limits.Unlimited,
        Operation? operation = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        using ReportHandle report = new();
        using HandleLease lease = Lease();
        using CancellableCall call = new(cancellationToken, operation);
        nint raw, error;
        int status = spw_store_verify(
            lease.Value, stream?.Id ?? Constants.SPW_ALL, 0, NativeText.Limit(bytesPerSecond),
            call.Op, &raw, &error);
        NativeError.Check(status, error, cancellationToken);
        report.Adopt(raw);
        return new RecordReport(raw);
    }
}

/// <summary>What a verification of a store found. A copy: any thread, any time.</summary>
public sealed unsafe class RecordReport
{
    private readonly DamagedRecords[] _ranges;

    /// <summary>Of the caller's report, which it copies.</summary>
    internal RecordReport(nint report)
    {
        spw_record_summary summary = new() { struct_size = (uint)sizeof(spw_record_summary) };
        nint error;
        NativeError.Check(spw_report_records(report, &summary, &error), error);
        Streams = summary.streams;
        Records = summary.records;
        RecordsDamaged = summary.records_damaged;
        PayloadBytes = summary.bytes;
        RangeCount = summary.ranges;
        List<DamagedRecords> ranges = [];
        spw_record_range range = new() { struct_size = (uint)sizeof(spw_record_range) };
        for (ulong i = 0; i < summary.ranges; i++)
        {
            int status = spw_report_range(report, i, &range, &error);
            if (!NativeError.CheckUnless(Constants.SPW_NOT_FOUND, status, error, default))
            {
                break; // More were found than are kept.
            }
            ranges.Add(new DamagedRecords(range));
        }
        _ranges = [.. ranges];
    }

    /// <summary>Streams checked.</summary>
    public ulong Streams { get; }

    /// <summary>Records checked.</summary>
    public ulong Records { get; }

    /// <summary>Of them, those that are damaged.</summary>
    public ulong RecordsDamaged { get; }

    /// <summary>Bytes of payload of those that are good.</summary>
    public ulong PayloadBytes { get; }

    /// <summary>Ranges of damaged records found; see <see cref="Ranges"/>.</summary>
    public ulong RangeCount { get; }

    /// <summary>The first 1,000 ranges of damaged records.</summary>
    public IReadOnlyList<DamagedRecords> Ranges => _ranges;

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsClean => RangeCount == 0;
}

/// <summary>Consecutive records of a stream, none of which can be read.</summary>
public sealed unsafe class DamagedRecords
{
    internal DamagedRecords(in spw_record_range range)
    {
        Status = (SpillwayStatus)range.code;
        StreamId = range.stream;
        Begin = range.begin_seq;
        End = range.end_seq;
        Message = Encoding.UTF8.GetString(range.message, (int)range.message_len);
    }

    /// <summary>Corrupt or IO.</summary>
    public SpillwayStatus Status { get; }

    /// <summary>Whose they are: <see cref="RecordStream.Id"/>.</summary>
    public uint StreamId { get; }

    /// <summary>Sequence number of the first.</summary>
    public ulong Begin { get; }

    /// <summary>Sequence number behind the last.</summary>
    public ulong End { get; }

    /// <summary>What and where, of the first of them.</summary>
    public string Message { get; }
}
