using Spillway.Native;
using static Spillway.Native.NativeMethods;

namespace Spillway;

/// <summary>
/// A block, or a range of it, in the library's memory (<see cref="ReadableBlocks.Get"/>), not
/// copied. It stays as it is whatever happens to block and file, which it outlives. Any thread,
/// many at once.
/// </summary>
/// <remarks>Dispose it when it has been read: until then it holds memory. <see cref="Memory"/> keeps
/// that from being collected, and throws <see cref="ObjectDisposedException"/> once the blob is
/// disposed; what was pinned before that stays until it is unpinned. <see cref="Span"/> is bare: it
/// is valid until the blob is disposed, or collected because nothing refers to it or its memory any
/// more.</remarks>
public sealed unsafe class Blob : IDisposable
{
    private readonly BlobHandle _handle;
    private readonly byte* _data;
    private readonly NativeMemory _memory;

    internal Blob(BlobHandle handle)
    {
        _handle = handle;
        using HandleLease lease = handle.Lease(this);
        byte* data;
        ulong length;
        nint error;
        NativeError.Check(spw_blob_view(lease.Value, &data, &length, &error), error);
        _data = data;
        Length = (int)length;
        _memory = new NativeMemory(handle, typeof(Blob), data, Length);
    }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">The blob has been disposed.</exception>
    public ReadOnlyMemory<byte> Memory => _memory.Memory;

    /// <summary>The bytes as a span, which is faster; see the remarks on its life.</summary>
    /// <exception cref="ObjectDisposedException">The blob has been disposed.</exception>
    public ReadOnlySpan<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsDisposed, this);
            return new ReadOnlySpan<byte>(_data, Length);
        }
    }

    /// <summary>A copy.</summary>
    /// <exception cref="ObjectDisposedException">The blob has been disposed.</exception>
    public byte[] ToArray()
    {
        byte[] copy = Span.ToArray();
        GC.KeepAlive(this);
        return copy;
    }

    /// <summary>Gives the memory back, once nothing of it is pinned. Any number of times, on any
    /// thread, before or after its file.</summary>
    public void Dispose() => _handle.Dispose();
}
