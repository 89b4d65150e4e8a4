using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <content>What there is, in the order of names; and all of it elsewhere.</content>
public abstract unsafe partial class ReadableBlocks
{
    private const int EntriesAtOnce = 256;

    /// <summary>The blocks whose names begin with a prefix, in the order of their names, without
    /// copying: page by page, in the library's memory.</summary>
    /// <param name="prefix">Text or bytes; empty: all blocks.</param>
    /// <param name="namesOnly">Leaves out infos, which is faster.</param>
    /// <returns>The blocks as they are now; what changes later is not seen. The caller disposes it.
    /// </returns>
    public BlockList OpenList(Utf8Text prefix = default, bool namesOnly = false)
    {
        ReadOnlySpan<byte> bytes = prefix.Bytes(stackalloc byte[Utf8Text.Room], nameof(prefix));
        ListHandle handle = new();
        using BlockLease lease = Lease();
        nint raw, error;
        uint flags = namesOnly ? Constants.SPW_LIST_NAMES_ONLY : 0;
        fixed (byte* begin = bytes)
        {
            int status = spw_list_open(
                lease.File, lease.Transaction, begin, (nuint)bytes.Length, flags, &raw, &error);
            NativeError.Check(status, error);
        }
        handle.Adopt(raw);
        return new BlockList(handle, namesOnly);
    }

    /// <summary>The blocks whose names begin with a prefix, in the order of their names. Each
    /// enumeration sees the blocks as they are when it begins, and fetches them in batches.
    /// </summary>
    /// <param name="prefix">Text or bytes; empty: all blocks.</param>
    public IEnumerable<BlockEntry> List(Utf8Text prefix = default) =>
        Entries(prefix.Bytes([], nameof(prefix)).ToArray(), namesOnly: false);

    /// <summary>As <see cref="List"/>, only the names, which is faster. Bytes that are no UTF-8 are
    /// shown as U+FFFD.</summary>
    /// <param name="prefix">Text or bytes; empty: all blocks.</param>
    public IEnumerable<string> ListNames(Utf8Text prefix = default) =>
        Entries(prefix.Bytes([], nameof(prefix)).ToArray(), namesOnly: true)
            .Select(static entry => entry.Name);

    private IEnumerable<BlockEntry> Entries(byte[] prefix, bool namesOnly)
    {
        using BlockList list = OpenList(prefix, namesOnly);
        while (list.NextEntries(EntriesAtOnce) is { Length: > 0 } entries)
        {
            foreach (BlockEntry entry in entries)
            {
                yield return entry;
            }
        }
    }

    /// <summary>Writes all blocks, as they are now, into a new file without gaps, with their tags,
    /// times and versions, while others read and write. Every byte is proved; the new file appears,
    /// durable, when it is whole, or not at all.</summary>
    /// <param name="path">Where; nothing may be there.</param>
    /// <param name="operation">Watches (bytes of payload) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="SpillwayException">AlreadyExists. NotFound: its folder. Corrupt: a block is
    /// damaged, which the message names; there is no copy then. Full: the other disk. IO:
    /// one of the two.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; there is no copy.</exception>
    /// <exception cref="ArgumentException">The path is empty, has a NUL or an unpaired surrogate.
    /// </exception>
    public void CopyTo(
        Utf8Text path, Operation? operation = null, CancellationToken cancellationToken = default)
    {
        ReadOnlySpan<byte> bytes = path.Bytes(stackalloc byte[Utf8Text.Room], nameof(path));
        NativeText.RefuseBadPath(bytes);
        using BlockLease lease = Lease();
        using CancellableCall call = new(cancellationToken, operation);
        nint error;
        fixed (byte* target = bytes)
        {
            int status = spw_file_copy(
                lease.File, lease.Transaction, target, (nuint)bytes.Length, call.Op, &error);
            NativeError.Check(status, error, cancellationToken);
        }
    }

    /// <summary>Writes every block whose name begins with a prefix into a file of its own below a
    /// folder, which is made if it is not there: the name without the prefix, <c>/</c> making
    /// folders, what cannot stand in a path escaped. Files that are equal are left alone, others of
    /// those paths replaced, each at once; what else is there stays. All are durable, and were read
    /// again and compared, when it returns. Tags, times and versions are not written.</summary>
    /// <param name="folder">Where to. No link below it is followed.</param>
    /// <param name="prefix">Text or bytes; empty: all blocks.</param>
    /// <param name="operation">Watches (bytes written and read again, so those of a moved block
    /// twice; the total is 0, unknown) or cancels the call.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="SpillwayException">Corrupt, IO: blocks that cannot be read were left out;
    /// the message names the first and says how many, and everything else was written. Also when
    /// the registry cannot be listed or a file cannot be written: then it ended there, and the
    /// message names no blocks that were left out. NotFound, Full: the other disk.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; another call goes on where it
    /// was.</exception>
    /// <exception cref="ArgumentException">The folder is empty, has a NUL or an unpaired surrogate.
    /// </exception>
    public TransferResult Export(
        Utf8Text folder, Utf8Text prefix = default, Operation? operation = null,
        CancellationToken cancellationToken = default)
    {
        ReadOnlySpan<byte> path = folder.Bytes(stackalloc byte[Utf8Text.Room], nameof(folder));
        ReadOnlySpan<byte> bytes = prefix.Bytes(stackalloc byte[Utf8Text.Room], nameof(prefix));
        NativeText.RefuseBadPath(path);
        using BlockLease lease = Lease();
        using CancellableCall call = new(cancellationToken, operation);
        spw_transfer result = new() { struct_size = (uint)sizeof(spw_transfer) };
        nint error;
        fixed (byte* target = path, begin = bytes)
        {
            int status = spw_file_export(
                lease.File, lease.Transaction, begin, (nuint)bytes.Length, target,
                (nuint)path.Length, call.Op, &result, &error);
            NativeError.Check(status, error, cancellationToken);
        }
        return new TransferResult(result);
    }

    /// <summary>As <see cref="CopyTo"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="CopyTo"/>
    public Task CopyToAsync(
        string path, Operation? operation = null, CancellationToken cancellationToken = default) =>
        Blocking.Run(() => CopyTo(path, operation, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Export"/>, on a thread of its own.</summary>
    /// <inheritdoc cref="Export"/>
    public Task<TransferResult> ExportAsync(
        string folder, string prefix = "", Operation? operation = null,
        CancellationToken cancellationToken = default) =>
        Blocking.Run(
            () => Export(folder, prefix, operation, cancellationToken), cancellationToken);
}
