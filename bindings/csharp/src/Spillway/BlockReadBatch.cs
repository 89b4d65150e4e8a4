using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Spillway.Native;

namespace Spillway;

/// <summary>
/// Names blocks for one <see cref="ReadableBlocks.ReadBatch(BlockReadBatch)"/>, and then holds what
/// they hold, in buffers from the shared pool, which grow as needed and stay with it. One thread at
/// a time.
/// </summary>
/// <remarks>Spans from here are valid until the next read, Clear or Dispose.</remarks>
[SkipLocalsInit]
[SuppressMessage("Naming", "CA1710", Justification = "It is a builder, and no collection.")]
public sealed class BlockReadBatch : IDisposable
{
    private readonly BatchBuilder _names = new();
    private byte[] _buffer = [];
    private ulong[] _ends = [];
    private SpillwayStatus[] _statuses = [];
    private int _read; // Blocks that were read; those named since are not among them.

    /// <summary>Blocks that are named.</summary>
    public int Count => _names.Count;

    internal ReadOnlySpan<byte> Names => _names.Data;

    internal ReadOnlySpan<ulong> NameOffsets => _names.Offsets;

    internal Span<byte> Buffer => _buffer;

    internal Span<ulong> Ends => _ends.AsSpan(0, Count + 1);

    internal Span<SpillwayStatus> Statuses => _statuses.AsSpan(0, Count);

    /// <summary>What a block holds.</summary>
    /// <param name="index">In the order in which they were named.</param>
    /// <exception cref="SpillwayException">NotFound, Corrupt, IO: this block could not be read; see
    /// <see cref="SpillwayException.RecordIndex"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It was not read.</exception>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            SpillwayStatus status = Status(index);
            if (status != SpillwayStatus.Ok)
            {
                throw new SpillwayException(
                    $"block {index} of the batch could not be read "
                    + $"({NativeError.StatusName((int)status)})", status, 0, 0, index);
            }
            return _buffer.AsSpan((int)_ends[index]..(int)_ends[index + 1]);
        }
    }

    /// <summary>Whether a block could be read: Ok, NotFound, Corrupt or IO.</summary>
    /// <inheritdoc cref="this[int]" path="/param"/>
    /// <exception cref="ArgumentOutOfRangeException">It was not read.</exception>
    public SpillwayStatus Status(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _read);
        return _statuses[index];
    }

    /// <summary>Names another block to read.</summary>
    /// <param name="name">Copied.</param>
    public void Add(Utf8Text name) =>
        _names.Append(name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name)));

    /// <summary>Drops names and what was read, and keeps the buffers.</summary>
    public void Clear()
    {
        _read = 0;
        _names.Clear();
    }

    /// <summary>Gives the buffers back. Any number of times.</summary>
    public void Dispose()
    {
        Clear();
        _names.Dispose();
        PooledArray.Return(ref _buffer);
        PooledArray.Return(ref _ends);
        PooledArray.Return(ref _statuses);
    }

    /// <summary>For all that is named; for as many bytes as the read before has asked for.
    /// </summary>
    internal void MakeRoom(long bytes)
    {
        _read = 0;
        if (Count + 1 > _ends.Length)
        {
            PooledArray.Grow(ref _ends, 0, Count + 1);
        }
        if (Count > _statuses.Length)
        {
            PooledArray.Grow(ref _statuses, 0, Count);
        }
        if (bytes > _buffer.Length)
        {
            PooledArray.Grow(ref _buffer, 0, PooledArray.Length(bytes));
        }
    }

    internal void SetRead() => _read = Count;
}
