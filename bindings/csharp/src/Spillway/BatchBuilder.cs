using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Spillway.Native;

namespace Spillway;

/// <summary>
/// Collects records for one
/// <see cref="RecordStream.Add(BatchBuilder, TimeSpan?, CancellationToken)"/> in buffers from the
/// shared pool, which grow as needed and stay with it: fill it, add it, clear it, fill it again,
/// and nothing is allocated. One thread at a time.
/// </summary>
/// <remarks>A record comes whole, by <see cref="Append(ReadOnlySpan{byte})"/>, or is written in
/// place by whatever writes to an <see cref="IBufferWriter{T}"/>, and then ended by
/// <see cref="EndRecord()"/>. Either all records of a batch have a time or none. Payload is limited
/// to what an array holds, about 2 GiB. Dispose gives the buffers back.</remarks>
[SuppressMessage("Naming", "CA1710", Justification = "It is a builder, and no collection.")]
public sealed class BatchBuilder : IBufferWriter<byte>, IDisposable
{
    private const int RecordsMin = 256;
    private const int BytesMin = 4096;

    private byte[] _data;
    private ulong[] _offsets; // [_count] is where the next record begins.
    private long[] _times;    // Empty until a record comes with a time.
    private int _count;
    private int _written;
    private bool _hasTimes;
    private bool _disposed;

    /// <summary>An empty one.</summary>
    /// <param name="records">Records to have room for from the start.</param>
    /// <param name="bytes">Payload bytes to have room for from the start.</param>
    public BatchBuilder(int records = RecordsMin, int bytes = BytesMin)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(records);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _offsets = ArrayPool<ulong>.Shared.Rent(Math.Max(records, RecordsMin) + 1);
        _data = ArrayPool<byte>.Shared.Rent(Math.Max(bytes, BytesMin));
        _times = [];
        _offsets[0] = 0;
    }

    /// <summary>Records that are ended.</summary>
    public int Count => _count;

    /// <summary>Payload bytes, those of a record that is not ended included.</summary>
    public int ByteCount => _written;

    internal ReadOnlySpan<byte> Data => _data.AsSpan(0, _written);

    /// <exception cref="InvalidOperationException">A record is not ended.</exception>
    internal ReadOnlySpan<ulong> Offsets
    {
        get
        {
            RefuseOpenRecord();
            return _offsets.AsSpan(0, _count + 1);
        }
    }

    internal ReadOnlySpan<long> Times => _hasTimes ? _times.AsSpan(0, _count) : default;

    /// <summary>Adds a record for a stream without times.</summary>
    /// <param name="record">Copied.</param>
    /// <exception cref="InvalidOperationException">Others of the batch have a time, or the last is
    /// not ended.</exception>
    public void Append(ReadOnlySpan<byte> record)
    {
        RefuseOpenRecord();
        Write(record);
        EndRecord();
    }

    /// <summary>Adds a record for a stream with times.</summary>
    /// <param name="record">Copied.</param>
    /// <param name="time">Not interpreted; nanoseconds since 1970 by convention.</param>
    /// <exception cref="InvalidOperationException">Others of the batch have no time, or the last is
    /// not ended.</exception>
    public void Append(ReadOnlySpan<byte> record, long time)
    {
        RefuseOpenRecord();
        Write(record);
        EndRecord(time);
    }

    /// <summary>Adds bytes to the record that is not ended.</summary>
    /// <param name="bytes">Copied.</param>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _data.Length - _written)
        {
            GrowData(bytes.Length);
        }
        bytes.CopyTo(_data.AsSpan(_written));
        _written += bytes.Length;
    }

    /// <summary>Ends a record of a stream without times; with no bytes since the last, an empty
    /// one.</summary>
    /// <exception cref="InvalidOperationException">Others of the batch have a time. The bytes stay,
    /// and can be ended with one.</exception>
    public void EndRecord()
    {
        if (_hasTimes)
        {
            ThrowMixedTimes();
        }
        End();
    }

    /// <summary>Ends a record of a stream with times.</summary>
    /// <param name="time">Not interpreted; nanoseconds since 1970 by convention.</param>
    /// <exception cref="InvalidOperationException">Others of the batch have no time. The bytes
    /// stay, and can be ended without one.</exception>
    public void EndRecord(long time)
    {
        if (!_hasTimes && _count > 0)
        {
            ThrowMixedTimes();
        }
        if (_count >= _times.Length)
        {
            GrowTimes();
        }
        _times[_count] = time;
        End();
        _hasTimes = true;
    }

    /// <summary>Drops all records, also one that is not ended, and keeps the buffers.</summary>
    public void Clear()
    {
        _count = 0;
        _written = 0;
        _hasTimes = false;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _data.Length - _written);
        _written += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _data.AsMemory(_written);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _data.AsSpan(_written);
    }

    /// <summary>Gives the buffers back; spans and memory from here must not be used any more. Any
    /// number of times.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        Clear();
        PooledArray.Return(ref _data);
        PooledArray.Return(ref _offsets);
        PooledArray.Return(ref _times);
    }

    private void End()
    {
        if (_count + 1 >= _offsets.Length)
        {
            GrowOffsets();
        }
        _offsets[++_count] = (ulong)_written;
    }

    private void RefuseOpenRecord()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if ((ulong)_written != _offsets[_count])
        {
            throw new InvalidOperationException(
                "The last record or block is not ended: call EndRecord or EndBlock.");
        }
    }

    private void MakeRoom(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int wanted = Math.Max(sizeHint, 1);
        if (wanted > _data.Length - _written)
        {
            GrowData(wanted);
        }
    }

    private void GrowData(int more)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long needed = (long)_written + more;
        if (needed > Array.MaxLength)
        {
            throw new InvalidOperationException(
                $"A batch of {needed} bytes is above what an array holds: add it in parts.");
        }
        PooledArray.Grow(ref _data, _written, (int)needed);
    }

    private void GrowOffsets()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        PooledArray.Grow(ref _offsets, _count + 1, _count + 2);
    }

    private void GrowTimes()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        PooledArray.Grow(ref _times, _count, Math.Max(_count + 1, RecordsMin));
    }

    [DoesNotReturn]
    private static void ThrowMixedTimes() => throw new InvalidOperationException(
        "Either all records of a batch have a time, or none.");
}
