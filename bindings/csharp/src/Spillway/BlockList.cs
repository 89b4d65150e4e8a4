using System.Runtime.CompilerServices;
using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// Walks over blocks in the order of their names (<see cref="ReadableBlocks.OpenList"/>), page by
/// page, without copying. One thread at a time, but any thread; two at once are refused with
/// InvalidState. It may outlive its file, where it then only throws.
/// </summary>
/// <remarks>Dispose it, best by <c>using</c> around all that reads its pages: a list that nobody
/// refers to any more may be collected, and its memory with it. Until then it keeps the space of
/// what is replaced.</remarks>
[SkipLocalsInit]
public sealed unsafe class BlockList : IDisposable
{
    private readonly ListHandle _handle;
    private readonly bool _namesOnly;
    private int _version;

    internal BlockList(ListHandle handle, bool namesOnly)
    {
        _handle = handle;
        _namesOnly = namesOnly;
    }

    /// <summary>Goes up whenever the current page ends, so that a <see cref="BlockPage"/> knows
    /// whether it is still the current one.</summary>
    internal int Version => Volatile.Read(ref _version);

    /// <summary>The next blocks. Allocates nothing.</summary>
    /// <param name="page">Valid until the next call of Next, Seek or Dispose. May hold fewer blocks
    /// than asked for, at least one if there is one.</param>
    /// <param name="maxBlocks">At most so many, at least 1.</param>
    /// <returns>false: there are no more.</returns>
    /// <exception cref="SpillwayException">Corrupt, IO: they cannot be read; the list stays where it
    /// was. InvalidState: another thread is using it.</exception>
    public bool Next(out BlockPage page, int maxBlocks = int.MaxValue)
    {
        page = default;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBlocks);
        using HandleLease lease = _handle.Lease(this);
        spw_block_view view = new() { struct_size = (uint)sizeof(spw_block_view) };
        nint error;
        // Taken before the call: a Dispose meanwhile, by another thread, must end this page.
        int version = EndPage();
        NativeError.Check(spw_list_next(lease.Value, (ulong)maxBlocks, &view, &error), error);
        page = new BlockPage(this, version, view);
        return view.count > 0;
    }

    /// <summary>Moves to the first block of the list whose name is not below the given one; to the
    /// begin with an empty one.</summary>
    /// <param name="name">Text or bytes.</param>
    public void Seek(Utf8Text name)
    {
        ReadOnlySpan<byte> bytes = name.Bytes(stackalloc byte[Utf8Text.Room], nameof(name));
        using HandleLease lease = _handle.Lease(this);
        nint error;
        EndPage();
        fixed (byte* first = bytes)
        {
            int status = spw_list_seek(lease.Value, first, (nuint)bytes.Length, &error);
            NativeError.Check(status, error);
        }
    }

    /// <summary>Frees it and its current page. Any number of times, on any thread, before or after
    /// its file.</summary>
    public void Dispose()
    {
        EndPage();
        _handle.Dispose();
    }

    internal BlockEntry[] NextEntries(int maxBlocks)
    {
        Next(out BlockPage page, maxBlocks);
        BlockEntry[] entries = new BlockEntry[page.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            BlockInfo info = _namesOnly ? default : page.Info(i);
            entries[i] = new BlockEntry(page.NameBytes(i).ToArray(), info);
        }
        GC.KeepAlive(this);
        return entries;
    }

    private int EndPage() => Interlocked.Increment(ref _version);
}
