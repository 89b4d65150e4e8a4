using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Records with a life of their own, in the library's memory (<see cref="Cursor.Detach"/>,
/// <see cref="RecordStream.Gather"/>): they outlive cursor and store. Any thread, many at once.
/// </summary>
/// <remarks>Dispose it when it has been read: until then it holds memory beside the budget
/// (<see cref="StoreStatistics.BytesPinned"/>). <see cref="ReadOnlyMemory{T}"/> taken from it keeps
/// its memory from being collected, and throws <see cref="ObjectDisposedException"/> once it is
/// disposed; what was pinned before that stays until it is unpinned. A span is bare: it is valid
/// until the batch is disposed, or collected because nothing refers to it or its memory any more.
/// </remarks>
[SuppressMessage("Naming", "CA1710", Justification = "Batch is the word for such a collection.")]
public sealed unsafe class OwnedBatch : IReadOnlyList<ReadOnlyMemory<byte>>, IDisposable
{
    private readonly BatchHandle _handle;
    private readonly spw_view _view; // Valid as long as the handle.
    private readonly NativeMemory? _whole; // null: longer than one Memory can be.

    internal OwnedBatch(BatchHandle handle)
    {
        _handle = handle;
        spw_view view = new() { struct_size = (uint)sizeof(spw_view) };
        using (HandleLease lease = handle.Lease(this))
        {
            nint error;
            NativeError.Check(spw_batch_view(lease.Value, &view, &error), error);
        }
        _view = view;
        if (view.data_len <= int.MaxValue)
        {
            _whole = Memory(view.data, (int)view.data_len);
        }
    }

    /// <summary>Records.</summary>
    public int Count => (int)_view.count;

    /// <summary>Sequence number of the first record.</summary>
    public ulong FirstSequence => _view.first_seq;

    /// <summary>Whether every record has a time.</summary>
    public bool HasTimes => _view.times != null;

    /// <summary>A record's bytes, in the library's memory.</summary>
    /// <param name="index">From 0 below <see cref="Count"/>.</param>
    /// <exception cref="ObjectDisposedException">The batch has been disposed.</exception>
    public ReadOnlyMemory<byte> this[int index]
    {
        get
        {
            (ulong begin, int length) = Bounds(index);
            return _whole != null
                ? _whole.Memory.Slice((int)begin, length)
                : Memory(_view.data + begin, length).Memory;
        }
    }

    /// <summary>A record's bytes as a span, which is faster; see the remarks on its life.</summary>
    /// <inheritdoc cref="this[int]"/>
    public ReadOnlySpan<byte> Span(int index)
    {
        (ulong begin, int length) = Bounds(index);
        return new ReadOnlySpan<byte>(_view.data + begin, length);
    }

    /// <summary>A record's sequence number.</summary>
    /// <inheritdoc cref="this[int]"/>
    public ulong Sequence(int index)
    {
        Check(index);
        ulong sequence =
            _view.seqs == null ? _view.first_seq + (ulong)index : _view.seqs[index];
        GC.KeepAlive(this);
        return sequence;
    }

    /// <summary>A record's time; 0 in a stream without times.</summary>
    /// <inheritdoc cref="this[int]"/>
    public long Time(int index)
    {
        Check(index);
        long time = _view.times == null ? 0 : _view.times[index];
        GC.KeepAlive(this);
        return time;
    }

    /// <inheritdoc/>
    public IEnumerator<ReadOnlyMemory<byte>> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Gives the memory back, once nothing of it is pinned. Any number of times, on any
    /// thread, before or after its store.</summary>
    public void Dispose() => _handle.Dispose();

    private NativeMemory Memory(byte* bytes, int length) =>
        new(_handle, typeof(OwnedBatch), bytes, length);

    private (ulong Begin, int Length) Bounds(int index)
    {
        Check(index);
        ulong begin = _view.begin[index];
        ulong end = _view.end[index];
        GC.KeepAlive(this); // The view is read by pointers, which keep nothing.
        return (begin, (int)(end - begin));
    }

    private void Check(int index)
    {
        ObjectDisposedException.ThrowIf(_handle.IsDisposed, this);
        if ((uint)index >= (uint)_view.count)
        {
            throw new ArgumentOutOfRangeException(nameof(index));
        }
    }
}
