using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Spillway.Native;

namespace Spillway;

/// <summary>
/// Collects blocks for one <see cref="WritableBlocks.PutBatch(BlockBatch, Span{ulong})"/> in buffers
/// from the shared pool, which grow as needed and stay with it: fill it, put it, clear it, fill it
/// again, and nothing is allocated. One thread at a time.
/// </summary>
/// <remarks>A block comes whole, by <see cref="Add"/>, or is written in place by whatever writes to
/// an <see cref="IBufferWriter{T}"/>, and then ended by <see cref="EndBlock"/>, which names it. Names
/// and payload are limited to what an array holds, about 2 GiB each. Dispose gives the buffers
/// back.</remarks>
[SkipLocalsInit]
[SuppressMessage("Naming", "CA1710", Justification = "It is a builder, and no collection.")]
public sealed class BlockBatch : IBufferWriter<byte>, IDisposable
{
    private readonly BatchBuilder _names;
    private readonly BatchBuilder _data;
    private ulong[] _expected = []; // As many as blocks once one has a condition, else empty.
    private bool _conditional;

    /// <summary>An empty one.</summary>
    /// <param name="blocks">Blocks to have room for from the start.</param>
    /// <param name="bytes">Payload bytes to have room for from the start.</param>
    public BlockBatch(int blocks = 0, int bytes = 0)
    {
        _names = new BatchBuilder(blocks);
        _data = new BatchBuilder(blocks, bytes);
    }

    /// <summary>Blocks that are ended.</summary>
    public int Count => _names.Count;

    /// <summary>Payload bytes, those of a block that is not ended included.</summary>
    public int ByteCount => _data.ByteCount;

    internal ReadOnlySpan<byte> Names => _names.Data;

    internal ReadOnlySpan<ulong> NameOffsets => _names.Offsets;

    internal ReadOnlySpan<byte> Data => _data.Data;

    internal ReadOnlySpan<ulong> DataOffsets => _data.Offsets;

    internal ReadOnlySpan<ulong> Expected => _conditional ? _expected.AsSpan(0, Count) : default;

    /// <summary>Adds a block.</summary>
    /// <param name="name">Copied.</param>
    /// <param name="data">Copied.</param>
    /// <param name="expected">As of <see cref="WritableBlocks.Put"/>.</param>
    /// <exception cref="InvalidOperationException">The last block is not ended.</exception>
    public void Add(
        Utf8Text name, ReadOnlySpan<byte> data, ulong expected = BlockVersion.Any)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        _data.Append(data);
        End(bytes, expected);
    }

    /// <summary>Adds bytes to the block that is not ended.</summary>
    /// <param name="bytes">Copied.</param>
    public void Write(ReadOnlySpan<byte> bytes) => _data.Write(bytes);

    /// <summary>Ends a block; with no bytes since the last, an empty one.</summary>
    /// <param name="name">Copied.</param>
    /// <param name="expected">As of <see cref="WritableBlocks.Put"/>.</param>
    public void EndBlock(Utf8Text name, ulong expected = BlockVersion.Any)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        _data.EndRecord();
        End(bytes, expected);
    }

    /// <summary>Drops all blocks, also one that is not ended, and keeps the buffers.</summary>
    public void Clear()
    {
        _names.Clear();
        _data.Clear();
        _conditional = false;
    }

    /// <inheritdoc/>
    public void Advance(int count) => _data.Advance(count);

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => _data.GetMemory(sizeHint);

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => _data.GetSpan(sizeHint);

    /// <summary>Gives the buffers back; spans and memory from here must not be used any more. Any
    /// number of times.</summary>
    public void Dispose()
    {
        Clear();
        _names.Dispose();
        _data.Dispose();
        PooledArray.Return(ref _expected);
    }

    private void End(ReadOnlySpan<byte> name, ulong expected)
    {
        _names.Append(name);
        if (expected == BlockVersion.Any && !_conditional)
        {
            return;
        }
        int known = _conditional ? Count - 1 : 0;
        if (Count > _expected.Length)
        {
            PooledArray.Grow(ref _expected, known, Count);
        }
        _expected.AsSpan(known, Count - 1 - known).Fill(BlockVersion.Any);
        _expected[Count - 1] = expected;
        _conditional = true;
    }
}
