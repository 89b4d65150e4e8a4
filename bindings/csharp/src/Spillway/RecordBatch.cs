using System.Diagnostics.CodeAnalysis;
using Spillway.Native;

namespace Spillway;

/// <summary>
/// The current view of a cursor: records in the library's memory, in order.
/// <c>foreach (ReadOnlySpan&lt;byte&gt; record in batch)</c> reads them. Valid until the next call
/// of Next, NextOwned, Seek or Dispose on the cursor; then its members throw, and spans taken from
/// it must not be used any more. <see cref="Cursor.Detach"/> makes it last.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "Batch is the word for such a collection.")]
public readonly unsafe ref struct RecordBatch
{
    private readonly Cursor? _cursor;
    private readonly int _version;
    private readonly spw_view _view;

    internal RecordBatch(Cursor cursor, int version, scoped in spw_view view)
    {
        _cursor = cursor;
        _version = version;
        _view = view;
    }

    /// <summary>Records; 0 at the end of the range.</summary>
    public int Count => (int)_view.count;

    /// <summary>Sequence number of the first record.</summary>
    public ulong FirstSequence => _view.first_seq;

    /// <summary>Whether every record has a time.</summary>
    public bool HasTimes => _view.times != null;

    /// <summary>A record's bytes, in the library's memory.</summary>
    /// <param name="index">From 0 below <see cref="Count"/>.</param>
    /// <exception cref="InvalidOperationException">The batch is no longer current.</exception>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            Check(index);
            ulong begin = _view.begin[index];
            ulong end = _view.end[index];
            GC.KeepAlive(_cursor);
            return new ReadOnlySpan<byte>(_view.data + begin, (int)(end - begin));
        }
    }

    /// <summary>A record's sequence number.</summary>
    /// <inheritdoc cref="this[int]"/>
    public ulong Sequence(int index)
    {
        Check(index);
        ulong sequence =
            _view.seqs == null ? _view.first_seq + (ulong)index : _view.seqs[index];
        GC.KeepAlive(_cursor);
        return sequence;
    }

    /// <summary>A record's time; 0 in a stream without times.</summary>
    /// <inheritdoc cref="this[int]"/>
    public long Time(int index)
    {
        Check(index);
        long time = _view.times == null ? 0 : _view.times[index];
        GC.KeepAlive(_cursor);
        return time;
    }

    /// <summary>For <c>foreach</c>, which also keeps the cursor from being collected meanwhile.
    /// </summary>
    public Enumerator GetEnumerator() => new(this);

    private void Check(int index)
    {
        if ((uint)index >= (uint)_view.count)
        {
            ThrowIndex();
        }
        if (_cursor!.Version != _version)
        {
            ThrowStale();
        }
    }

    [DoesNotReturn]
    private static void ThrowIndex() => throw new ArgumentOutOfRangeException("index");

    [DoesNotReturn]
    private static void ThrowStale() => throw new InvalidOperationException(
        "The cursor has moved on or was disposed: a batch is valid until the next call.");

    /// <summary>Walks over the records of a batch.</summary>
    public ref struct Enumerator
    {
        private readonly RecordBatch _batch;
        private int _index;

        internal Enumerator(RecordBatch batch)
        {
            _batch = batch;
            _index = -1;
        }

        /// <summary>The record's bytes, in the library's memory.</summary>
        public readonly ReadOnlySpan<byte> Current => _batch[_index];

        /// <summary>Goes on to the next record; false: there is none.</summary>
        public bool MoveNext() => ++_index < _batch.Count;

        /// <summary>Ends the walk. It stands here so that the cursor is referred to until then: a
        /// loop that uses nothing but a span would not keep it.</summary>
        public readonly void Dispose() => GC.KeepAlive(_batch._cursor);
    }
}
