using System.Diagnostics.CodeAnalysis;
using System.Text;
using Spillway.Native;

namespace Spillway;

/// <summary>
/// The current page of a <see cref="BlockList"/>: blocks in the order of their names, in the
/// library's memory. Valid until the next call of Next, Seek or Dispose on the list; then its
/// members throw, and spans and references taken from it must not be used any more.
/// </summary>
public readonly unsafe ref struct BlockPage
{
    private readonly BlockList? _list;
    private readonly int _version;
    private readonly spw_block_view _view;

    internal BlockPage(BlockList list, int version, scoped in spw_block_view view)
    {
        _list = list;
        _version = version;
        _view = view;
    }

    /// <summary>Blocks; 0 at the end of the list.</summary>
    public int Count => (int)_view.count;

    /// <summary>A block's name, in the library's memory.</summary>
    /// <param name="index">From 0 below <see cref="Count"/>.</param>
    /// <exception cref="InvalidOperationException">The page is no longer current.</exception>
    public ReadOnlySpan<byte> NameBytes(int index)
    {
        Check(index);
        ulong begin = _view.name_offsets[index];
        ulong end = _view.name_offsets[index + 1];
        GC.KeepAlive(_list);
        return new ReadOnlySpan<byte>(_view.names + begin, (int)(end - begin));
    }

    /// <summary>A block's name; bytes that are no UTF-8 are shown as U+FFFD.</summary>
    /// <inheritdoc cref="NameBytes"/>
    public string Name(int index)
    {
        string name = Encoding.UTF8.GetString(NameBytes(index));
        GC.KeepAlive(_list);
        return name;
    }

    /// <summary>A block's length, version, times and tag, in the library's memory.</summary>
    /// <inheritdoc cref="NameBytes"/>
    /// <exception cref="InvalidOperationException">The page is no longer current, or the list was
    /// opened for names only.</exception>
    public ref readonly BlockInfo Info(int index)
    {
        Check(index);
        if (_view.infos == null)
        {
            ThrowNamesOnly();
        }
        return ref *(BlockInfo*)(_view.infos + index);
    }

    private void Check(int index)
    {
        if ((uint)index >= (uint)_view.count)
        {
            ThrowIndex();
        }
        if (_list!.Version != _version)
        {
            ThrowStale();
        }
    }

    [DoesNotReturn]
    private static void ThrowIndex() => throw new ArgumentOutOfRangeException("index");

    [DoesNotReturn]
    private static void ThrowStale() => throw new InvalidOperationException(
        "The list has moved on or was disposed: a page is valid until the next call.");

    [DoesNotReturn]
    private static void ThrowNamesOnly() => throw new InvalidOperationException(
        "The list was opened for names only.");
}
