using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Spillway.Native;

namespace Spillway;

/// <summary>What is known about a block beside its bytes. A copy: any thread, any time.</summary>
public readonly unsafe struct BlockInfo
{
    private readonly spw_block_info _info; // The only field: lists are read in place as these.

    /// <summary>Bytes of payload.</summary>
    public long Length => (long)_info.length;

    /// <summary>Goes up with every change; 0: changed by this transaction, which is not committed.
    /// </summary>
    public ulong Version => _info.version;

    /// <summary>When it was created, in steps of 100 ns.</summary>
    public DateTimeOffset Created => NativeText.Instant(_info.created_ns);

    /// <summary>When its payload, tag or name was changed, in steps of 100 ns.</summary>
    public DateTimeOffset Modified => NativeText.Instant(_info.modified_ns);

    /// <summary>When it was created, in nanoseconds since 1970, UTC.</summary>
    public long CreatedNanoseconds => _info.created_ns;

    /// <summary>When its payload, tag or name was changed, in nanoseconds since 1970, UTC.
    /// </summary>
    public long ModifiedNanoseconds => _info.modified_ns;

    /// <summary>Its tag, inside of this value; empty if it has none.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Tag =>
        MemoryMarshal.CreateReadOnlySpan(in _info.tag[0], (int)_info.tag_len);
}

/// <summary>A block as a list names it (<see cref="ReadableBlocks.List"/>).</summary>
public sealed class BlockEntry
{
    private readonly byte[] _name;

    internal BlockEntry(byte[] name, in BlockInfo info)
    {
        _name = name;
        Info = info;
    }

    /// <summary>Its name; bytes that are no UTF-8 are shown as U+FFFD.</summary>
    public string Name => Encoding.UTF8.GetString(_name);

    /// <summary>Its name as it is.</summary>
    public ReadOnlyMemory<byte> NameBytes => _name;

    /// <summary>Its length, version, times and tag.</summary>
    public BlockInfo Info { get; }
}
