using System.Buffers;

namespace Spillway.Native;

/// <summary>
/// Library memory as <see cref="Memory{T}"/>, alive as long as the handle it comes from: whoever
/// holds the memory holds the handle, and a pin is a lease on it. Written to by nobody: it is only
/// handed out as <see cref="ReadOnlyMemory{T}"/>.
/// </summary>
internal sealed unsafe class NativeMemory(
    NativeHandle handle, Type owner, byte* bytes, int length) : MemoryManager<byte>
{
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(handle.IsDisposed, owner);
        return new Span<byte>(bytes, length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, length);
        ObjectDisposedException.ThrowIf(handle.IsDisposed, owner);
        bool held = false;
        handle.DangerousAddRef(ref held);
        return new MemoryHandle(bytes + elementIndex, pinnable: this);
    }

    public override void Unpin() => handle.DangerousRelease();

    // The handle has an owner; a memory manager that goes away takes nothing with it.
    protected override void Dispose(bool disposing) { }
}
