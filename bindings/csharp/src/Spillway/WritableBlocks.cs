using System.Runtime.CompilerServices;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Blocks that can be changed: a <see cref="BlockFile"/>, where each call is a transaction of its
/// own, visible at once and durable with the next flush; or a <see cref="BlockTransaction"/>, whose
/// changes nobody else sees before it is committed. Any thread, many at once.
/// </summary>
/// <remarks>Every change may fail, besides what it lists, with ReadOnly (the file was opened for
/// reading), Full (the disk is full and so is what may wait in memory; nothing is lost, it goes on
/// when there is room), IO and Corrupt (an earlier write failed or met damage: writing has ended,
/// reading goes on; only opening again clears it), and InvalidState (the transaction was
/// committed).</remarks>
[SkipLocalsInit]
public abstract unsafe class WritableBlocks : ReadableBlocks
{
    private protected WritableBlocks(FileHandle file, TransactionHandle? transaction)
        : base(file, transaction)
    {
    }

    /// <summary>Creates a block or replaces what it holds; its tag stays. Allocates nothing.
    /// </summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="data">Copied.</param>
    /// <param name="expected">The version that it must have, or <see cref="BlockVersion"/>.</param>
    /// <returns>The new version, which is above every earlier one of the file; 0 in a transaction:
    /// it gets one by its commit.</returns>
    /// <exception cref="SpillwayException">Conflict: it is of another version. NotFound: there is
    /// none. AlreadyExists: <see cref="BlockVersion.None"/>, and there is one.</exception>
    public ulong Put(
        Utf8Text name, ReadOnlySpan<byte> data, ulong expected = BlockVersion.Any)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        ulong version;
        nint error;
        fixed (byte* block = bytes, payload = data)
        {
            int status = spw_block_put(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, payload,
                (ulong)data.Length, expected, &version, &error);
            NativeError.Check(status, error);
        }
        return version;
    }

    /// <summary>Puts all blocks of a batch, in one call: all or none. Of two with one name the last
    /// counts. The batch stays as it is: clear it to use it again. Allocates nothing.</summary>
    /// <param name="batch">Not kept.</param>
    /// <param name="versions">Gets the new versions, one per block; or empty.</param>
    /// <exception cref="SpillwayException">As <see cref="Put"/>, with
    /// <see cref="SpillwayException.RecordIndex"/> in the batch; nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">The last block of the batch is not ended.
    /// </exception>
    public void PutBatch(BlockBatch batch, Span<ulong> versions = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        PutBatch(
            batch.Names, batch.NameOffsets, batch.Data, batch.DataOffsets, batch.Expected,
            versions);
    }

    /// <summary>As the overload that takes a batch, for blocks that lie one after another in memory
    /// already.</summary>
    /// <param name="names">Block i is <c>names[nameOffsets[i] .. nameOffsets[i + 1])</c>.</param>
    /// <param name="nameOffsets">One more than there are blocks. They never run backwards and end
    /// within <paramref name="names"/>.</param>
    /// <param name="data">It holds <c>data[dataOffsets[i] .. dataOffsets[i + 1])</c>.</param>
    /// <param name="dataOffsets">As many, with the same rules.</param>
    /// <param name="expected">One per block as of <see cref="Put"/>; or empty: no conditions.
    /// </param>
    /// <param name="versions">Gets the new versions, one per block; or empty.</param>
    /// <inheritdoc cref="PutBatch(BlockBatch, Span{ulong})" path="/exception"/>
    /// <exception cref="ArgumentException">Spans that do not fit together.</exception>
    public void PutBatch(
        ReadOnlySpan<byte> names, ReadOnlySpan<ulong> nameOffsets, ReadOnlySpan<byte> data,
        ReadOnlySpan<ulong> dataOffsets, ReadOnlySpan<ulong> expected = default,
        Span<ulong> versions = default)
    {
        int count = Spans.CountOf(nameOffsets, nameof(nameOffsets));
        Spans.RefuseOther(dataOffsets.Length, count + 1, nameof(dataOffsets));
        Spans.RefuseOther(expected.Length, expected.IsEmpty ? 0 : count, nameof(expected));
        Spans.RefuseOther(versions.Length, versions.IsEmpty ? 0 : count, nameof(versions));
        using BlockLease lease = Lease();
        nint error;
        fixed (byte* text = names, payload = data)
        fixed (ulong* bounds = nameOffsets, ends = dataOffsets)
        fixed (ulong* conditions = expected, made = versions)
        {
            int status = spw_block_put_batch(
                lease.File, lease.Transaction, text, (ulong)names.Length, bounds, payload,
                (ulong)data.Length, ends, (nuint)count, conditions, made, &error);
            NativeError.Check(status, error);
        }
    }

    /// <summary>Adds bytes at the end of a block, or creates it. What stands there is not written
    /// again. Allocates nothing.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="data">Copied.</param>
    /// <returns>The block's new length.</returns>
    public long Append(Utf8Text name, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        ulong length;
        nint error;
        fixed (byte* block = bytes, payload = data)
        {
            int status = spw_block_append(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, payload,
                (ulong)data.Length, &length, &error);
            NativeError.Check(status, error);
        }
        return (long)length;
    }

    /// <summary>Writes a range within a block. Allocates nothing.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="offset">Where in the block.</param>
    /// <param name="data">Copied.</param>
    /// <exception cref="SpillwayException">NotFound. InvalidArgument: it reaches beyond the block's
    /// end.</exception>
    public void Patch(Utf8Text name, long offset, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        nint error;
        fixed (byte* block = bytes, payload = data)
        {
            int status = spw_block_patch(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, (ulong)offset, payload,
                (ulong)data.Length, &error);
            NativeError.Check(status, error);
        }
    }

    /// <summary>Deletes a block.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="expected">The version that it must have, or <see cref="BlockVersion.Any"/>.
    /// </param>
    /// <exception cref="SpillwayException">NotFound. Conflict: it is of another version.
    /// </exception>
    public void Delete(Utf8Text name, ulong expected = BlockVersion.Any)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        nint error;
        fixed (byte* block = bytes)
        {
            int status = spw_block_delete(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, expected, &error);
            NativeError.Check(status, error);
        }
    }

    /// <summary>Gives a block another name; payload, tag and times stay, its version is a new one.
    /// The same name changes nothing.</summary>
    /// <param name="from">Text or bytes.</param>
    /// <param name="to">Text or bytes.</param>
    /// <param name="replace">Whether another block of the new name is replaced.</param>
    /// <exception cref="SpillwayException">NotFound. AlreadyExists: there is another of the new
    /// name.</exception>
    public void Rename(Utf8Text from, Utf8Text to, bool replace = false)
    {
        ReadOnlySpan<byte> old = from.Bytes(stackalloc byte[Utf8Text.Room], nameof(from));
        ReadOnlySpan<byte> next = to.Bytes(stackalloc byte[Utf8Text.Room], nameof(to));
        using BlockLease lease = Lease();
        nint error;
        fixed (byte* source = old, target = next)
        {
            int status = spw_block_rename(
                lease.File, lease.Transaction, source, (nuint)old.Length, target,
                (nuint)next.Length, replace ? Constants.SPW_RENAME_REPLACE : 0, &error);
            NativeError.Check(status, error);
        }
    }

    /// <summary>Replaces a block's tag. The version is a new one.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="tag">Up to <see cref="Limits.BlockTagBytesMax"/> bytes, which the library does
    /// not interpret.</param>
    /// <exception cref="SpillwayException">NotFound. TooBig: the tag.</exception>
    public void SetTag(Utf8Text name, ReadOnlySpan<byte> tag)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using BlockLease lease = Lease();
        nint error;
        fixed (byte* block = bytes, label = tag)
        {
            int status = spw_block_set_tag(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, label,
                (nuint)tag.Length, &error);
            NativeError.Check(status, error);
        }
    }

    /// <summary>Writes a block whose length is not known yet. It becomes visible, whole, with
    /// <see cref="BlockWriteStream.Commit"/> (in a transaction: with that transaction's), or never.
    /// A few MiB are kept in memory, the rest is in the file.</summary>
    /// <param name="name">Text or bytes.</param>
    /// <param name="expected">As of <see cref="Put"/>, judged by the commit.</param>
    /// <returns>The caller commits and disposes it.</returns>
    public BlockWriteStream OpenWrite(Utf8Text name, ulong expected = BlockVersion.Any)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        WriterHandle handle = new();
        using BlockLease lease = Lease();
        nint raw, error;
        fixed (byte* block = bytes)
        {
            int status = spw_writer_open(
                lease.File, lease.Transaction, block, (nuint)bytes.Length, expected, &raw, &error);
            NativeError.Check(status, error);
        }
        handle.Adopt(raw);
        return new BlockWriteStream(handle);
    }
}
