using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Blocks as something sees them: a <see cref="BlockFile"/> as they are now, each call at a moment
/// of its own; a <see cref="BlockSnapshot"/> and a <see cref="BlockTransaction"/> as they were when
/// it began, a transaction with its own changes. Any thread, many at once; readers wait for nobody.
/// </summary>
/// <remarks>Every byte read was proved by its checksum. Corrupt and IO mean what the call asked
/// for; other blocks stay readable, and nothing is ever repaired by reading. A name is 1 to
/// <see cref="Limits.BlockNameBytesMax"/> bytes, none of them 0, UTF-8 by contract, else
/// InvalidArgument; names are compared byte by byte.</remarks>
[SkipLocalsInit]
public abstract unsafe partial class ReadableBlocks
{
    private readonly FileHandle _file;
    private readonly TransactionHandle? _transaction;

    private protected ReadableBlocks(FileHandle file, TransactionHandle? transaction)
    {
        _file = file;
        _transaction = transaction;
    }

    private protected BlockLease Lease() => new(_file, _transaction, this);

    /// <summary>Whether there is such a block.</summary>
    /// <param name="name">Text or bytes.</param>
    public bool Exists(Utf8Text name)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        int exists;
        nint error;
        fixed (byte* block = bytes)
        {
            int status = spw_block_exists(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, &exists, &error);
            NativeError.Check(status, error);
        }
        return exists != 0;
    }

    /// <summary>A block's length, version, times and tag.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <exception cref="SpillwayException">NotFound.</exception>
    public BlockInfo Stat(Utf8Text name)
    {
        StatCore(name, Constants.SPW_OK, out BlockInfo info);
        return info;
    }

    /// <summary>As <see cref="Stat"/>, for a block that may not be there.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="info">All zero if there is no such block.</param>
    /// <returns>false: there is no such block.</returns>
    public bool TryStat(Utf8Text name, out BlockInfo info) =>
        StatCore(name, Constants.SPW_NOT_FOUND, out info);

    private bool StatCore(Utf8Text name, int expected, out BlockInfo info)
    {
        info = default;
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        nint error;
        int status;
        fixed (byte* block = bytes)
        fixed (BlockInfo* native = &info)
        {
            ((spw_block_info*)native)->struct_size = (uint)sizeof(spw_block_info);
            status = spw_block_stat(
                lease.File, lease.Transaction, block, (nuint)bytes.Length,
                (spw_block_info*)native, &error);
        }
        return status == Constants.SPW_OK
            || NativeError.CheckUnless(expected, status, error, default);
    }

    /// <summary>Copies bytes of a block into the caller's buffer.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="offset">Where in the block to begin.</param>
    /// <param name="buffer">Where to.</param>
    /// <returns>How many were copied: fewer than fit only at the block's end, 0 behind it.
    /// </returns>
    /// <exception cref="SpillwayException">NotFound. Corrupt, IO: of what was asked for.
    /// </exception>
    public int Read(Utf8Text name, long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        ulong length;
        nint error;
        fixed (byte* block = bytes, target = buffer)
        {
            int status = spw_block_read(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, (ulong)offset, target,
                (ulong)buffer.Length, &length, &error);
            NativeError.Check(status, error);
        }
        return (int)length;
    }

    /// <summary>Copies a whole block out, as of one moment.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <exception cref="SpillwayException">NotFound. Corrupt, IO: it cannot be read.</exception>
    /// <exception cref="InvalidOperationException">It is longer than an array can be.</exception>
    public byte[] ReadAll(Utf8Text name)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        long length = Stat(bytes).Length;
        ulong* ends = stackalloc ulong[2];
        SpillwayStatus status = default;
        while (true)
        {
            byte[] whole = GC.AllocateUninitializedArray<byte>(PooledArray.Length(length));
            bool fitted = ReadBatch(
                bytes, [0, (ulong)bytes.Length], whole, new Span<ulong>(ends, 2),
                new Span<SpillwayStatus>(ref status));
            length = (long)ends[1];
            if (fitted && status == SpillwayStatus.Ok)
            {
                return length == whole.Length ? whole : whole[..(int)length];
            }
            if (fitted)
            {
                Read(bytes, 0, whole); // Says why; or it was deleted, and is there again.
                length = Stat(bytes).Length;
            }
        }
    }

    /// <summary>Reads whole blocks, as of one moment and in one call, into the batch, which grows
    /// as needed: read, clear, name others, read again, and nothing is allocated.</summary>
    /// <param name="batch">Names what to read, and holds it until it is cleared or read again.
    /// What cannot be read is no exception: see <see cref="BlockReadBatch.Status"/>.</param>
    /// <exception cref="InvalidOperationException">They are longer than an array can be.
    /// </exception>
    public void ReadBatch(BlockReadBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.MakeRoom(0);
        while (!ReadBatch(
            batch.Names, batch.NameOffsets, batch.Buffer, batch.Ends, batch.Statuses))
        {
            batch.MakeRoom((long)batch.Ends[^1]);
        }
        batch.SetRead();
    }

    /// <summary>Reads whole blocks, as of one moment and in one call, one after another into the
    /// caller's buffer.</summary>
    /// <param name="names">Block i is <c>names[nameOffsets[i] .. nameOffsets[i + 1])</c>.</param>
    /// <param name="nameOffsets">One more than there are blocks.</param>
    /// <param name="buffer">Block i comes to <c>buffer[offsets[i] .. offsets[i + 1])</c>.</param>
    /// <param name="offsets">As many as <paramref name="nameOffsets"/>.</param>
    /// <param name="statuses">One per block: Ok, NotFound, Corrupt or IO; other than Ok, it takes
    /// no bytes.</param>
    /// <returns>false: the buffer is too small; the last of <paramref name="offsets"/> says what is
    /// needed, and what is in the buffer means nothing.</returns>
    /// <exception cref="SpillwayException">InvalidArgument: a name
    /// (<see cref="SpillwayException.RecordIndex"/>), or offsets that do not fit.</exception>
    /// <exception cref="ArgumentException">Spans that do not fit together.</exception>
    public bool ReadBatch(
        ReadOnlySpan<byte> names, ReadOnlySpan<ulong> nameOffsets, Span<byte> buffer,
        Span<ulong> offsets, Span<SpillwayStatus> statuses)
    {
        int count = Spans.CountOf(nameOffsets, nameof(nameOffsets));
        Spans.RefuseOther(offsets.Length, count + 1, nameof(offsets));
        Spans.RefuseOther(statuses.Length, count, nameof(statuses));
        using BlockLease lease = Lease();
        nint error;
        int status;
        fixed (byte* text = names, target = buffer)
        fixed (ulong* bounds = nameOffsets, ends = offsets)
        fixed (SpillwayStatus* each = statuses)
        {
            status = spw_block_read_batch(
                lease.File, lease.Transaction, text, (ulong)names.Length, bounds, (nuint)count,
                target, (ulong)buffer.Length, ends, (int*)each, &error);
        }
        return NativeError.CheckUnless(Constants.SPW_TOO_BIG, status, error, default);
    }

    /// <summary>A block, or a range of it, in the library's memory, without copying: proved once,
    /// and kept in the file's cache. It stays as it is whatever happens to block and file.
    /// </summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="offset">Where in the block to begin.</param>
    /// <param name="length">Bytes; those beyond the block's end are left out.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="SpillwayException">NotFound. TooBig: more than
    /// <see cref="Limits.BlobBytesMax"/>. Corrupt, IO: of what was asked for.</exception>
    public Blob Get(Utf8Text name, long offset = 0, long length = long.MaxValue)
    {
        TryGetCore(name, offset, length, Constants.SPW_OK, out Blob? blob);
        return blob!;
    }

    /// <summary>As <see cref="Get"/>, for a block that may not be there.</summary>
    /// <returns>false: there is no such block.</returns>
    /// <param name="name">Text or bytes.</param>
    /// <param name="blob">The caller disposes it.</param>
    /// <exception cref="SpillwayException">TooBig: more than <see cref="Limits.BlobBytesMax"/>.
    /// Corrupt, IO: of what was asked for.</exception>
    public bool TryGet(Utf8Text name, [NotNullWhen(true)] out Blob? blob) =>
        TryGetCore(name, 0, long.MaxValue, Constants.SPW_NOT_FOUND, out blob);

    private bool TryGetCore(
        Utf8Text name, long offset, long length, int expected, [NotNullWhen(true)] out Blob? blob)
    {
        blob = null;
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        BlobHandle handle = new();
        using BlockLease lease = Lease();
        nint raw, error;
        int status;
        fixed (byte* block = bytes)
        {
            status = spw_block_get(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, (ulong)offset,
                NativeText.Limit(length), &raw, &error);
        }
        if (status != Constants.SPW_OK
            && !NativeError.CheckUnless(expected, status, error, default))
        {
            return false;
        }
        handle.Adopt(raw);
        blob = new Blob(handle);
        return true;
    }

    /// <summary>Reads a block that may be too large for memory, as it is now, whatever becomes of
    /// it later.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="SpillwayException">NotFound.</exception>
    public BlockReadStream OpenRead(Utf8Text name)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        ReaderHandle handle = new();
        using BlockLease lease = Lease();
        nint raw, error;
        fixed (byte* block = bytes)
        {
            int status = spw_reader_open(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, &raw, &error);
            NativeError.Check(status, error);
        }
        handle.Adopt(raw);
        return new BlockReadStream(handle);
    }
}
