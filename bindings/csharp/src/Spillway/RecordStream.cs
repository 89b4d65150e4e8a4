using System.Diagnostics.CodeAnalysis;
using System.Text;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// A named, ordered, append-only sequence of records in a store. Only a name for it: it owns
/// nothing, needs no Dispose, keeps its <see cref="Store"/> from being collected, and any number of
/// them may name one stream. All members may be used by many threads at once.
/// </summary>
[SuppressMessage("Naming", "CA1711", Justification = "Stream is the library's word.")]
public sealed unsafe partial class RecordStream
{
    private readonly byte[] _name;

    internal RecordStream(Store store, uint id, byte[] name)
    {
        Store = store;
        Id = id;
        _name = name;
    }

    /// <summary>The store it is in.</summary>
    public Store Store { get; }

    /// <summary>A small number, stable across reopen.</summary>
    public uint Id { get; }

    /// <summary>Its name; bytes that are no UTF-8 are shown as U+FFFD.</summary>
    public string Name => Encoding.UTF8.GetString(_name);

    /// <summary>Its name as it is.</summary>
    public ReadOnlyMemory<byte> NameBytes => _name;

    /// <summary>Bytes of memory for this stream's records, now; live.</summary>
    public long BudgetBytes
    {
        get => GetOption(OptionKey.BudgetBytes);
        set => SetOption(OptionKey.BudgetBytes, value);
    }

    /// <summary>Records of this stream held in memory, now; live.</summary>
    public long BudgetRecords
    {
        get => GetOption(OptionKey.BudgetRecords);
        set => SetOption(OptionKey.BudgetRecords, value);
    }

    /// <summary>What an add to it does at the hard limit, now; live.</summary>
    public WhenFull WhenFull
    {
        get => (WhenFull)GetOption(OptionKey.WhenFull);
        set => SetOption(OptionKey.WhenFull, (long)value);
    }

    /// <summary>What an option of the stream is now, in the unit of the C header.</summary>
    /// <exception cref="SpillwayException">Unsupported: no such option here.</exception>
    public long GetOption(OptionKey key) => Store.GetOption(Id, key);

    /// <summary>Changes a live option of the stream while it is in use.</summary>
    /// <exception cref="SpillwayException">Unsupported: no such option, or not live.
    /// InvalidArgument: out of range.</exception>
    public void SetOption(OptionKey key, long value) => Store.SetOption(Id, key, value);

    /// <summary>Copies one record out.</summary>
    /// <exception cref="SpillwayException">NotFound: at or above the tail. Trimmed: dropped.
    /// Corrupt, IO: this record cannot be read; others may.</exception>
    public byte[] Read(ulong sequence) => Read(sequence, out _);

    /// <summary>Copies one record out.</summary>
    /// <param name="sequence">Which.</param>
    /// <param name="time">Its time; 0 in a stream without times.</param>
    /// <inheritdoc cref="Read(ulong)"/>
    public byte[] Read(ulong sequence, out long time)
    {
        byte[] buffer = [];
        int length;
        while (!TryRead(sequence, buffer, out length, out time))
        {
            buffer = GC.AllocateUninitializedArray<byte>(length);
        }
        return buffer;
    }

    /// <summary>Copies one record into the caller's buffer.</summary>
    /// <param name="sequence">Which.</param>
    /// <param name="buffer">Where to.</param>
    /// <param name="length">The length of the record in bytes, whatever is returned.</param>
    /// <param name="time">Its time; 0 in a stream without times.</param>
    /// <returns>false: the buffer is smaller than <paramref name="length"/>, nothing was copied.
    /// </returns>
    /// <inheritdoc cref="Read(ulong)" path="/exception"/>
    public bool TryRead(ulong sequence, Span<byte> buffer, out int length, out long time)
    {
        using HandleLease lease = Store.Lease();
        ulong found;
        long foundTime;
        nint error;
        bool copied;
        fixed (byte* target = buffer)
        {
            int status = spw_store_read(
                lease.Value, Id, sequence, target, (ulong)buffer.Length, &found, &foundTime,
                &error);
            copied = NativeError.CheckUnless(Constants.SPW_TOO_BIG, status, error, default);
        }
        length = (int)found;
        time = copied ? foundTime : 0;
        return copied;
    }

    /// <summary>Copies many records out, in the order asked for.</summary>
    /// <returns>A batch of the caller's own; <see cref="OwnedBatch.Sequence"/> of it is what was
    /// asked for.</returns>
    /// <exception cref="SpillwayException">As <see cref="Read(ulong)"/>, with
    /// <see cref="SpillwayException.RecordIndex"/> in <paramref name="sequences"/>.</exception>
    public OwnedBatch Gather(ReadOnlySpan<ulong> sequences)
    {
        BatchHandle batch = new();
        using HandleLease lease = Store.Lease();
        nint raw, error;
        fixed (ulong* first = sequences)
        {
            int status = spw_store_gather(
                lease.Value, Id, first, (nuint)sequences.Length, &raw, &error);
            NativeError.Check(status, error);
        }
        batch.Adopt(raw);
        return new OwnedBatch(batch);
    }

    /// <summary>Drops all records of the stream; sequence numbers go on. The memory is free at
    /// once; the change is durable with the next flush.</summary>
    /// <exception cref="SpillwayException">IO, Corrupt: writing has ended.</exception>
    public void Clear()
    {
        using HandleLease lease = Store.Lease();
        nint error;
        NativeError.Check(spw_store_clear(lease.Value, Id, &error), error);
    }

    /// <summary>Where the stream stands.</summary>
    public StreamStatistics GetStatistics()
    {
        using HandleLease lease = Store.Lease();
        spw_stream_stats stats = new() { struct_size = (uint)sizeof(spw_stream_stats) };
        nint error;
        int status = spw_store_stream_stats(lease.Value, Id, &stats, &error);
        NativeError.Check(status, error);
        return new StreamStatistics(stats);
    }

    /// <summary>A snapshot: sees exactly the records of the range that were admitted before this
    /// call, in order, each once, whatever is added, spilled or flushed meanwhile.</summary>
    /// <param name="begin">First record wanted; those that are gone already are left out.</param>
    /// <param name="end">One above the last; <see cref="Limits.NoSequence"/>: all there are now.
    /// </param>
    /// <exception cref="SpillwayException">InvalidArgument: the range runs backwards.</exception>
    public Cursor OpenCursor(ulong begin = 0, ulong end = Limits.NoSequence)
    {
        CursorHandle cursor = new();
        using HandleLease lease = Store.Lease();
        spw_scan scan = new()
        {
            struct_size = (uint)sizeof(spw_scan),
            stream = Id,
            begin_seq = begin,
            end_seq = end,
        };
        nint raw, error;
        int status = spw_cursor_open(lease.Value, &scan, 0, &raw, &error);
        NativeError.Check(status, error);
        cursor.Adopt(raw);
        return new Cursor(cursor);
    }
}
